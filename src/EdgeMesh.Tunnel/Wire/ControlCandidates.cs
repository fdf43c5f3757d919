namespace EdgeMesh.Tunnel.Wire;

/// <summary>All candidates a node has now: count (1), each kind (1), family (1), port (2), address (4 or 16).</summary>
internal static class ControlCandidates
{
    /// <summary>A node with more interfaces than this sends its first ones; a reader keeps no more.</summary>
    public const int MaxCount = 24;

    /// <summary>Fills <paramref name="into"/> from the body; kinds not known here are skipped, a broken body changes nothing.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, List<Candidate> into)
    {
        Span<Candidate> found = stackalloc Candidate[MaxCount];
        WireReader reader = new(body);
        if (!reader.TryByte(out byte count))
        {
            return false;
        }

        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryByte(out byte kind) || !reader.TryAddress(out WireAddress address))
            {
                return false;
            }

            if (kept < MaxCount && kind is >= 1 and <= 5 && address.Port != 0)
            {
                found[kept++] = new Candidate((CandidateKind)kind, address);
            }
        }

        into.Clear();
        into.AddRange(found[..kept]);
        return true;
    }

    /// <returns>The length of the whole message; 0 if the target is too short.</returns>
    public static int Write(Span<byte> target, IReadOnlyList<Candidate> candidates)
    {
        int count = Math.Min(candidates.Count, MaxCount);
        WireWriter writer = ControlMessage.Begin(target, ControlType.Candidates);
        writer.Byte((byte)count);
        for (int i = 0; i < count; i++)
        {
            writer.Byte((byte)candidates[i].Kind);
            writer.Address(candidates[i].Address);
        }

        return ControlMessage.End(ref writer);
    }
}
