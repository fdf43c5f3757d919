namespace EdgeMesh.Quic;

/// <summary>
/// How much a stream's peer may send ahead of its reader (RFC 9000 section 4.1). Starts small, as the kernel's <c>tcp_rmem</c> does, and
/// doubles while the reader keeps pace: half a window read within two round trips. So a reader that stops holds up little, and
/// the connection's window, which must cover what all stopped readers hold, lasts for hundreds of them.
/// </summary>
internal struct ReceiveWindow
{
    private readonly int initial;
    private readonly int largest;
    private int size;
    private int read;
    private long halfBegan;

    public ReceiveWindow(int initial, int largest)
    {
        this.initial = initial;
        this.largest = Math.Max(initial, largest);
        size = initial;
        halfBegan = -1;
    }

    /// <summary>What it has grown by: counted against the connection's budget until the stream ends.</summary>
    public readonly int Growth => size - initial;

    /// <summary>The reader is done with some bytes.</summary>
    /// <param name="now">ns.</param>
    /// <param name="roundTrip">ns, smoothed.</param>
    /// <param name="budget">What all windows of the connection may still grow by.</param>
    /// <param name="isScarce">Whether windows that are not used shall shrink.</param>
    /// <returns>Credit for the peer: more than was read while the window grows, less while it shrinks.</returns>
    public int Read(int bytes, long now, long roundTrip, long budget, bool isScarce)
    {
        if (halfBegan < 0)
        {
            halfBegan = now;
        }

        read += bytes;
        if (read < size / 2)
        {
            return bytes;
        }

        long took = now - halfBegan;
        halfBegan = now;
        read = 0;
        if (took <= 2 * roundTrip)
        {
            int more = (int)Math.Min(budget, Math.Min(size, largest - size));
            size += more;
            return bytes + more;
        }

        if (isScarce && took > 16 * roundTrip)
        {
            int less = Math.Min(bytes, Growth);
            size -= less;
            return bytes - less;
        }

        return bytes;
    }
}
