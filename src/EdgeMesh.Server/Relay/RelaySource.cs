namespace EdgeMesh.Server.Relay;

/// <summary>One agent as a sender through the relay: its buckets and what it wants. Any thread; the demand belongs to the shares' window.</summary>
internal sealed class RelaySource
{
    // An agent's trains do not fall evenly into windows.
    private const double Weight = 0.3;

    private RateBucket own;
    private RateBucket share;
    private long offered;
    private int pending;

    public ref RateBucket Own => ref own;

    public ref RateBucket Share => ref share;

    /// <summary>Bytes a second that it wants to send, smoothed.</summary>
    public double Demand { get; private set; }

    /// <summary>Adds to the bytes of this agent's WebSocket that wait for the reactor, and tells how many those are then.</summary>
    public int Pend(int bytes) => Interlocked.Add(ref pending, bytes);

    public void Offer(int bytes) => Interlocked.Add(ref offered, bytes);

    /// <summary>A window is over.</summary>
    /// <param name="seconds">How long it was.</param>
    /// <param name="isFirst">After a pause nothing before it counts; nor does silence for a sender that begins.</param>
    /// <returns>Bytes a second that were offered in it.</returns>
    public double EndWindow(double seconds, bool isFirst)
    {
        double rate = Interlocked.Exchange(ref offered, 0) / seconds;
        Demand = isFirst || Demand == 0 ? rate : Demand + (Weight * (rate - Demand));
        return rate;
    }
}
