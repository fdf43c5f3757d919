namespace EdgeMesh.Server.Relay;

/// <summary>What the relay did. Written by the reactor and by the sessions' receivers, per train or record batch, read by anyone.</summary>
internal sealed class RelayCounters
{
    private static readonly int Reasons = Enum.GetValues<DropReason>().Length;

    private readonly long[] dropped = new long[Reasons];
    private long udpBytes;
    private long udpFrames;
    private long socketBytes;
    private long socketFrames;
    private long stunAnswers;
    private long hellos;

    /// <summary>Payload and header bytes handed to receivers' UDP legs.</summary>
    public long UdpBytes => Interlocked.Read(ref udpBytes);

    public long UdpFrames => Interlocked.Read(ref udpFrames);

    /// <summary>The same for WebSocket legs.</summary>
    public long SocketBytes => Interlocked.Read(ref socketBytes);

    public long SocketFrames => Interlocked.Read(ref socketFrames);

    public long StunAnswers => Interlocked.Read(ref stunAnswers);

    public long Hellos => Interlocked.Read(ref hellos);

    public long Dropped(DropReason reason) => Interlocked.Read(ref dropped[(int)reason]);

    public void SentByUdp(int frames, int bytes)
    {
        Interlocked.Add(ref udpFrames, frames);
        Interlocked.Add(ref udpBytes, bytes);
    }

    public void SentBySocket(int frames, int bytes)
    {
        Interlocked.Add(ref socketFrames, frames);
        Interlocked.Add(ref socketBytes, bytes);
    }

    public void AnsweredStun() => Interlocked.Increment(ref stunAnswers);

    public void AnsweredHello() => Interlocked.Increment(ref hellos);

    public void Drop(DropReason reason, int frames = 1) => Interlocked.Add(ref dropped[(int)reason], frames);
}
