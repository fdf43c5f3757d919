using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// Whether UDP to one server works: hellos in series; an answer binds, a series without one unbinds. Bound and idle a series
/// begins every 15 s (it keeps NATs open), every 3 s beside traffic on other paths, every half second under traffic, so that a
/// blocked leg is noticed soon. No I/O, no clock.
/// </summary>
internal sealed class UdpLeg(Func<ulong> newNonce)
{
    private const long Millisecond = PathTiming.Millisecond;
    private const long IdlePause = 15 * PathTiming.Second;
    private const long ActivePause = 500 * Millisecond;
    private const long WatchPause = 3 * PathTiming.Second;
    private const long RetryPause = 3 * PathTiming.Second;

    private readonly List<(ulong Nonce, long SentAt)> pending = [];
    private long seriesStart = long.MaxValue;
    private int step;
    private long lastAnswer = long.MinValue / 2;
    private long lastTraffic = long.MinValue / 2;

    // Offsets of the hellos of a series in ms; the last one is its end. What was bound is tested densely: 20 % loss each way
    // swallows one series in sixty, and a dead leg is known before a silent direct path is given up.
    private static ReadOnlySpan<int> Offsets => [0, 300, 700, 1300];

    private static ReadOnlySpan<int> BoundOffsets => [0, 100, 220, 380, 650];

    // A series must outlast four round trips.
    private const long ShortestSeries = 650 * Millisecond;

    public bool IsBound { get; private set; }

    /// <summary>Our address as the server sees it.</summary>
    public WireAddress Observed { get; private set; }

    /// <summary>ns; 0 before the first answer.</summary>
    public long RoundTrip { get; private set; }

    /// <summary>When to call <see cref="Advance"/>.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>Series that ended without an answer since the last one.</summary>
    public int Failures { get; private set; }

    /// <summary>A new session: nothing is bound.</summary>
    public void Start(long now)
    {
        Stop();
        Begin(now);
    }

    public void Stop()
    {
        IsBound = false;
        pending.Clear();
        seriesStart = Deadline = long.MaxValue;
        Failures = 0;
    }

    /// <summary>Our address has changed: say hello from the new one. Bound stays bound until that fails.</summary>
    public void Rebind(long now)
    {
        if (Deadline != long.MaxValue)
        {
            Begin(now);
        }
    }

    /// <summary>Relayed data went out over UDP.</summary>
    public void OnTraffic(long now)
    {
        lastTraffic = now;
        if (IsBound && seriesStart == long.MaxValue)
        {
            Deadline = Math.Min(Deadline, Math.Max(now, lastAnswer + ActivePause));
        }
    }

    /// <summary>Relayed data may have to go here at any moment: be sure that it can.</summary>
    public void Watch(long now)
    {
        if (IsBound && seriesStart == long.MaxValue)
        {
            Deadline = Math.Min(Deadline, Math.Max(now, lastAnswer + WatchPause));
        }
    }

    /// <summary>An answer should have come by now.</summary>
    public bool IsLate(long now) => IsBound && pending.Count > 0 && now - pending[0].SentAt > (2 * RoundTrip) + (50 * Millisecond);

    /// <summary>Something else went silent: is this leg alive?</summary>
    public void Check(long now)
    {
        if (seriesStart == long.MaxValue && Deadline != long.MaxValue && now - lastAnswer > 300 * Millisecond)
        {
            Begin(now);
        }
    }

    /// <summary>The server asks for a hello.</summary>
    /// <returns>Whether one is due: not while others are on their way.</returns>
    public bool Renew(long now)
    {
        if (seriesStart != long.MaxValue || Deadline == long.MaxValue)
        {
            return false;
        }

        Begin(now);
        return true;
    }

    /// <summary>Does what is due.</summary>
    /// <param name="hello">Nonce of a hello to be sent now, or null.</param>
    /// <returns>True if the leg has just become unbound.</returns>
    public bool Advance(long now, out ulong? hello)
    {
        hello = null;
        if (now < Deadline)
        {
            return false;
        }

        if (seriesStart == long.MaxValue)
        {
            Begin(now);
        }

        ReadOnlySpan<int> offsets = IsBound ? BoundOffsets : Offsets;
        if (step >= offsets.Length - 1)
        {
            bool wasBound = IsBound;
            IsBound = false;
            Failures++;
            seriesStart = long.MaxValue;
            Deadline = now + RetryPause;
            return wasBound;
        }

        hello = newNonce();
        if (pending.Count == 8)
        {
            pending.RemoveAt(0);
        }

        pending.Add((hello.Value, now));
        step++;
        long stretch = IsBound ? Math.Clamp(4 * RoundTrip, ShortestSeries, 3 * ShortestSeries) : ShortestSeries;
        Deadline = Math.Max(now + (100 * Millisecond), seriesStart + (offsets[step] * Millisecond * stretch / ShortestSeries));
        return false;
    }

    /// <summary>An authenticated answer.</summary>
    /// <returns>True if the leg has just become bound or the observed address has changed.</returns>
    public bool OnAnswer(ulong nonce, WireAddress observed, long now)
    {
        int index = pending.FindIndex(p => p.Nonce == nonce);
        if (index < 0 || Deadline == long.MaxValue)
        {
            return false;
        }

        long sample = Math.Max(1, now - pending[index].SentAt);
        RoundTrip = RoundTrip == 0 ? sample : ((7 * RoundTrip) + sample) / 8;
        pending.Clear();
        bool changed = !IsBound || observed != Observed;
        IsBound = true;
        Observed = observed;
        Failures = 0;
        lastAnswer = now;
        seriesStart = long.MaxValue;
        Deadline = now + (now - lastTraffic < ActivePause ? ActivePause : IdlePause);
        return changed;
    }

    private void Begin(long now)
    {
        seriesStart = now;
        step = 0;
        Deadline = now;
    }
}
