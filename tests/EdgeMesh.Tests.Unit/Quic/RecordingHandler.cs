using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>A connection's owner that keeps what happens.</summary>
internal sealed class RecordingHandler : IQuicHandler
{
    public string? PeerName { get; private set; }

    public bool Accepts { get; set; } = true;

    public int Judged { get; private set; }

    public int Connected { get; private set; }

    public List<QuicCloseReason> Closes { get; } = [];

    public List<RecordingStream> Streams { get; } = [];

    public List<byte[]> Datagrams { get; } = [];

    public int StreamsAvailable { get; private set; }

    /// <summary>The newest.</summary>
    public byte[] Ticket { get; private set; } = [];

    public Action<RecordingStream>? OnStream { get; set; }

    public bool RefusesStreams { get; set; }

    public void ForgetAll()
    {
        Connected = 0;
        Closes.Clear();
    }

    public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer)
    {
        PeerName = TestPki.CommonName(leafDer);
        Judged++;
        return Accepts;
    }

    public void OnConnected(QuicConnection connection)
    {
        Assert.NotNull(PeerName);
        Connected++;
    }

    public void OnStreamOpened(QuicConnection connection, QuicStream stream)
    {
        Assert.Equal(1, Connected);
        if (!RefusesStreams)
        {
            RecordingStream recording = new(stream);
            Streams.Add(recording);
            OnStream?.Invoke(recording);
        }
    }

    public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload) => Datagrams.Add(payload.ToArray());

    public void OnTicket(QuicConnection connection, byte[] ticket) => Ticket = ticket;

    public void OnStreamsAvailable(QuicConnection connection) => StreamsAvailable++;

    public void OnClosed(QuicConnection connection, QuicCloseReason reason)
    {
        Assert.True(connection.IsClosed);
        Closes.Add(reason);
    }
}
