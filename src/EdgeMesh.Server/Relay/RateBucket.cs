namespace EdgeMesh.Server.Relay;

/// <summary>
/// A token bucket as one number, the time at which it will be full again (the generic cell rate algorithm): no lock, no timer,
/// any thread. Its rate is told at each use and may change between.
/// </summary>
internal struct RateBucket
{
    private long fullAt;

    /// <summary>Takes whole units, as many as there is room for.</summary>
    /// <param name="bytes">Wanted; the last unit of them may be a shorter one.</param>
    /// <param name="unit">Length of a frame.</param>
    /// <param name="now">ns.</param>
    /// <param name="nanosecondsPerByte">The rate; 0 for no limit.</param>
    /// <param name="burst">What may come at once, as time at the rate, ns; a pause of this length fills the bucket.</param>
    /// <returns>All of the bytes, or the units that may pass.</returns>
    public int Take(int bytes, int unit, long now, double nanosecondsPerByte, long burst)
    {
        if (nanosecondsPerByte == 0)
        {
            return bytes;
        }

        // At least two frames, or a large one would never pass at a low rate.
        double full = Math.Max(burst, 2 * unit * nanosecondsPerByte);
        while (true)
        {
            long before = Volatile.Read(ref fullAt);
            long from = Math.Max(before, now);
            double room = (full - (from - now)) / nanosecondsPerByte;
            int taken = room >= bytes ? bytes : room < unit ? 0 : (int)room / unit * unit;
            if (taken == 0
                || Interlocked.CompareExchange(ref fullAt, from + (long)(taken * nanosecondsPerByte), before) == before)
            {
                return taken;
            }
        }
    }
}
