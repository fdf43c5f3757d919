using EdgeMesh.Tunnel.Paths;

namespace EdgeMesh.Tunnel.Guess;

/// <summary>
/// What guessing ports may cost. With 256 sockets behind the hard NAT, 2,000 probes to random ones of its 64,512 ports miss all of them
/// once in 2,700 attempts; half of the attempts need fewer than 175 (RFC 5128 section 3.4 names the idea).
/// </summary>
internal static class GuessBudget
{
    public const int Sockets = 256;
    public const int Probes = 2_000;
    public const int FirstPort = 1_024;

    /// <summary>
    /// Ports of sockets of the hard side that the other side tries first. A NAT may keep port numbers and only look hard, because an
    /// earlier mapping holds the number of our port: for two minutes after this node's address has changed, or for another host.
    /// </summary>
    public const int Told = 16;

    /// <summary>200 probes a second, some 16 kB/s.</summary>
    public const long Tick = 10 * PathTiming.Millisecond;
    public const int ProbesPerTick = 2;

    /// <summary>
    /// Sockets where the NAT looks easy and rounds of probes fail all the same, as they do when an earlier mapping to that peer holds
    /// the number of our port; only their own ports are tried.
    /// </summary>
    public const int FewSockets = Told;
    public const int RoundsBeforeFew = 2;

    /// <summary>The sockets stay open a little longer than the probes come.</summary>
    public const long SocketsFor = 13 * PathTiming.Second;
    public const long FewSocketsFor = 3 * PathTiming.Second;

    /// <summary>An agent guesses for this many peers at a time.</summary>
    public const int MaxRunning = 2;

    /// <summary>Ordinary rounds that must have failed before.</summary>
    public const int RoundsBefore = 1;

    /// <summary>Pauses between attempts with one peer; the last one repeats.</summary>
    public static ReadOnlySpan<int> PauseSeconds => [0, 60, 300, 1800];
}
