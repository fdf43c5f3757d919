namespace EdgeMesh.Quic;

/// <summary>A connection with one peer over whatever output it is given. In the loop only.</summary>
public sealed class QuicConnection
{
    internal QuicConnection() => throw new NotImplementedException();

    public bool IsClient => throw new NotImplementedException();

    /// <summary>From <see cref="IQuicHandler.OnConnected"/> until it closes.</summary>
    public bool IsConnected => throw new NotImplementedException();

    /// <summary>No more streams or datagrams.</summary>
    public bool IsClosed => throw new NotImplementedException();

    /// <summary>For the owner's own use.</summary>
    public object? Owner { get; set; }

    /// <summary>May be changed at any time; the next datagram takes it.</summary>
    public IQuicOutput Output { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>The largest datagram payload that fits now; 0 if the peer takes none.</summary>
    public int MaxDatagramPayload => throw new NotImplementedException();

    public QuicConnectionStats Stats => throw new NotImplementedException();

    /// <returns>null: the peer allows no more streams now; see <see cref="IQuicHandler.OnStreamsAvailable"/>.</returns>
    public QuicStream? OpenStream() => throw new NotImplementedException();

    /// <summary>Copies into a bounded queue (1 MB).</summary>
    /// <returns>false: full, too big, or not connected.</returns>
    public bool TrySendDatagram(ReadOnlySpan<byte> payload) => throw new NotImplementedException();

    /// <summary>The path is new or back: probe now instead of when the backed-off timer says.</summary>
    public void Kick() => throw new NotImplementedException();

    /// <summary>The output has room again after it returned false.</summary>
    public void OutputWritable() => throw new NotImplementedException();

    /// <summary>Sends CONNECTION_CLOSE and answers late packets with it for three PTO.</summary>
    public void Close(ulong code, string reason) => throw new NotImplementedException();
}
