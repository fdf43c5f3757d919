namespace EdgeMesh.Dns;

/// <summary>A lower-case wire name cut into labels. Refers to the caller's buffers.</summary>
internal readonly ref struct NameView
{
    private readonly ReadOnlySpan<byte> starts;

    private NameView(ReadOnlySpan<byte> wire, ReadOnlySpan<byte> starts)
    {
        Wire = wire;
        this.starts = starts;
    }

    /// <summary>The name, final empty label included.</summary>
    public ReadOnlySpan<byte> Wire { get; }

    /// <summary>Number of labels without the empty one.</summary>
    public int Count => starts.Length;

    /// <summary>Label by position from the left, without its length byte.</summary>
    public ReadOnlySpan<byte> this[int index] => Wire.Slice(starts[index] + 1, Wire[starts[index]]);

    /// <param name="wire">A valid uncompressed name; it is lower-cased in place.</param>
    /// <param name="starts">At least <see cref="WireName.MaxLabels"/> bytes of room.</param>
    public static NameView Cut(Span<byte> wire, Span<byte> starts)
    {
        WireName.ToLower(wire);
        int count = 0;
        for (int at = 0; wire[at] != 0; at += wire[at] + 1)
        {
            starts[count++] = (byte)at;
        }

        return new NameView(wire, starts[..count]);
    }

    /// <summary>True if the name is <paramref name="zone"/> or below it; <paramref name="below"/> is the number of labels in front of it.</summary>
    public bool IsUnder(ReadOnlySpan<byte> zone, out int below)
    {
        int cut = Wire.Length - zone.Length;
        below = 0;
        if (cut < 0 || !Wire.EndsWith(zone))
        {
            return false;
        }

        while (below < starts.Length && starts[below] < cut)
        {
            below++;
        }

        return (below < starts.Length ? starts[below] : Wire.Length - 1) == cut;
    }
}
