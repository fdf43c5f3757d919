namespace EdgeMesh.Tunnel.Paths;

/// <summary>All constants of probing, in ns unless named otherwise. Tests run on the same ones with a virtual clock.</summary>
internal static class PathTiming
{
    public const long Millisecond = 1_000_000;
    public const long Second = 1_000 * Millisecond;

    /// <summary>Traffic younger than this makes a path active.</summary>
    public const long ActiveFor = Second;

    /// <summary>QUIC's own keepalives are smaller; they do not make a path active.</summary>
    public const int ActiveBytes = 100;

    public const long ActivePing = 300 * Millisecond;

    /// <summary>After a missing pong: many small chances, so that loss alone does not look like silence.</summary>
    public const long SuspectPing = 80 * Millisecond;

    /// <summary>Routers forget UDP mappings after 30 s and more (RFC 4787 wants 2 min).</summary>
    public const long IdlePing = 12 * Second;

    /// <summary>An idle path that missed a pong, and a path on probation.</summary>
    public const long WatchPing = 500 * Millisecond;

    /// <summary>
    /// A path is silent this long after its first unanswered ping (more on slow paths), after at least <see cref="SilentPings"/>: nine
    /// or ten pings by then, which 20 % loss each way swallows together once in some hours.
    /// </summary>
    public const long SilentAfter = 800 * Millisecond;

    public const int SilentPings = 3;

    /// <summary>Added while QUIC packets still arrive on the path: pongs may be stuck in a queue.</summary>
    public const long SilentGrace = 800 * Millisecond;

    /// <summary>The peer sends through a relay though we take a direct path that brought nothing for this long: it saw it fail before us.</summary>
    public const long DoubtAfter = 200 * Millisecond;

    /// <summary>The peer's packets come from an address that works, and the one that we send to brought nothing for this long: longer than <see cref="ActivePing"/>.</summary>
    public const long MovedAfter = 400 * Millisecond;

    public const int DoubtPings = 2;

    public const long DoubtSilence = 250 * Millisecond;

    public const long MaxSilentAfter = 4 * Second;

    /// <summary>Offsets of the pings of one burst: dense first (both sides start together), then for late openers.</summary>
    public static ReadOnlySpan<int> BurstMilliseconds => [0, 20, 50, 100, 200, 400, 800, 1500];

    /// <summary>Pauses between rounds while nothing direct works; the last one repeats.</summary>
    public static ReadOnlySpan<int> PunchSeconds => [1, 2, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 10, 20, 40, 60];

    /// <summary>With traffic on a relay a direct path is worth asking more often.</summary>
    public const long ActivePunch = 5 * Second;

    /// <summary>Looking for something better than a direct path that works (the LAN).</summary>
    public const long UpgradePunch = 60 * Second;

    /// <summary>A path that went silent n times lately waits 2^(n-2) s of good pongs before it is trusted again.</summary>
    public const long FlapMemory = 60 * Second;

    /// <summary>Each flap costs a stall of a second or so: with this, an eighth of the time at worst.</summary>
    public const long MaxProbation = 8 * Second;

    /// <summary>Traffic flows to a relay and nothing has come through it for this long, and two round trips to it.</summary>
    public const long MuteAfter = 500 * Millisecond;

    public const long MtuRetry = 250 * Millisecond;
    public const int MtuRounds = 3;

    /// <summary>So many full-size pings in a row lost while small ones are answered: at 20 % loss each way once in sixty times.</summary>
    public const int MtuLosses = 4;

    /// <summary>Of the pings under traffic every so many-th is a full-size one.</summary>
    public const int FullPingEvery = 4;
    public const long MtuRecheck = 600 * Second;

    /// <summary>Paths kept per peer; candidates beyond are ignored.</summary>
    public const int MaxPaths = 32;
}
