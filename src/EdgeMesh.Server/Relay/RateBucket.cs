namespace EdgeMesh.Server.Relay;

/// <summary>
/// A token bucket as one number, the time at which it will be full again (the generic cell rate algorithm): no lock, no timer,
/// any thread. Its rate is told at each use and may change between.
/// </summary>
internal struct RateBucket
{
    /// <summary>What may come at once, as time at the rate; a pause of this length fills the bucket.</summary>
    public const long Burst = 100_000_000;

    /// <summary>But at least this, or the largest frame would never pass at a low rate.</summary>
    public const int LeastBurst = 32 * 1024;

    private long fullAt;

    /// <summary>Takes whole units, as many as there is room for.</summary>
    /// <param name="bytes">Wanted; the last unit of them may be a shorter one.</param>
    /// <param name="unit">Length of a frame.</param>
    /// <param name="now">ns.</param>
    /// <param name="nanosecondsPerByte">The rate; 0 for no limit.</param>
    /// <returns>All of the bytes, or the units that may pass.</returns>
    public int Take(int bytes, int unit, long now, double nanosecondsPerByte)
    {
        if (nanosecondsPerByte == 0)
        {
            return bytes;
        }

        double burst = Math.Max(Burst, LeastBurst * nanosecondsPerByte);
        while (true)
        {
            long before = Volatile.Read(ref fullAt);
            long from = Math.Max(before, now);
            double room = (burst - (from - now)) / nanosecondsPerByte;
            int taken = room >= bytes ? bytes : room < unit ? 0 : (int)room / unit * unit;
            if (taken == 0
                || Interlocked.CompareExchange(ref fullAt, from + (long)(taken * nanosecondsPerByte), before) == before)
            {
                return taken;
            }
        }
    }
}
