using System.Security.Cryptography;
using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>A stream's owner that keeps what happens, and sends what it is told to as room comes.</summary>
internal sealed class RecordingStream : IStreamHandler
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private ReadOnlyMemory<byte> toSend;
    private bool finishAfter;

    public RecordingStream(QuicStream stream)
    {
        Stream = stream;
        stream.Handler = this;
    }

    public QuicStream Stream { get; }

    public long Received { get; private set; }

    public byte[] Hash => hash.GetCurrentHash();

    public List<byte> Bytes { get; } = [];

    public bool KeepBytes { get; set; }

    public bool Consumes { get; set; } = true;

    public bool EchoesAndFinishes { get; set; }

    public bool Fin { get; private set; }

    public ulong? ResetCode { get; private set; }

    public bool Stopped { get; private set; }

    public int Closed { get; private set; }

    public int WritableCalls { get; private set; }

    public int Unsent => toSend.Length;

    public void Send(ReadOnlyMemory<byte> data, bool finish)
    {
        toSend = data;
        finishAfter = finish;
        Fill();
    }

    public void StartAnew()
    {
        Received = 0;
        hash.GetHashAndReset();
        Bytes.Clear();
    }

    public void OnData(QuicStream stream, ReadOnlySpan<byte> data, bool fin)
    {
        Assert.False(Fin, "data after FIN");
        Received += data.Length;
        hash.AppendData(data);
        if (KeepBytes)
        {
            Bytes.AddRange(data);
        }

        Fin |= fin;
        if (EchoesAndFinishes)
        {
            Assert.Equal(data.Length, stream.Write(data));
            if (fin)
            {
                stream.Finish();
            }
        }

        if (Consumes)
        {
            stream.Consume(data.Length);
        }
    }

    public void OnWritable(QuicStream stream)
    {
        WritableCalls++;
        Fill();
    }

    public void OnReset(QuicStream stream, ulong code) => ResetCode = code;

    public void OnStopSending(QuicStream stream, ulong code) => Stopped = true;

    public void OnClosed(QuicStream stream) => Closed++;

    private void Fill()
    {
        while (toSend.Length > 0)
        {
            int written = Stream.Write(toSend.Span);
            toSend = toSend[written..];
            if (written == 0)
            {
                return;
            }
        }

        if (finishAfter)
        {
            finishAfter = false;
            Stream.Finish();
        }
    }
}
