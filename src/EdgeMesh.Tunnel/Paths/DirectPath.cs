using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Paths;

/// <summary>What is known about one address of the peer: pings on their way, answers, round trip, MTU. No I/O, no clock.</summary>
internal sealed class DirectPath(WireAddress address, long now)
{
    /// <summary>The loss is smoothed over about so many pings.</summary>
    public const double LossSamples = 16;

    private readonly List<SentPing> pending = [];
    private long burstStart = long.MaxValue;
    private int burstStep;
    private long unansweredSince;
    private int unanswered;

    // When the full-size ping was sent whose fate is open; 0 if none is.
    private long lastFullPing;
    private long probation;
    private int flaps;
    private long lastFlap;
    private int pings;
    private long doubtedSince = long.MaxValue;
    private long suspendedAt = long.MinValue;
    private bool isSuspended;

    public WireAddress Address => address;

    public bool IsLan { get; set; }

    /// <summary>Told by the peer or configured, not only seen in a probe: survives when probes stop.</summary>
    public bool IsCandidate { get; set; }

    /// <summary>A pong has come and the path has not gone silent since.</summary>
    public bool IsValid { get; private set; }

    public long ValidSince { get; private set; }

    /// <summary>ns; 0 before the first pong.</summary>
    public long RoundTrip { get; private set; }

    /// <summary>Smoothed share of pings that were never answered though a later one was, 0 to 1: loss of either direction.</summary>
    public double Loss { get; private set; }

    public long LastPong { get; private set; } = long.MinValue;

    public long LastReceived { get; set; } = long.MinValue;

    /// <summary>When anything last happened here: the oldest one makes room for another.</summary>
    public long LastUse { get; private set; } = now;

    public long NextPing { get; private set; } = long.MaxValue;

    public MtuProber Mtu { get; } = new(address.Family);

    public PathKind Kind => IsLan ? PathKind.Lan : PathKind.Direct;

    public bool IsUsable(long now) => IsValid && !isSuspended && now >= ValidSince + probation;

    /// <summary>When <see cref="IsUsable"/> turns true by itself.</summary>
    public long UsableAt => IsValid ? ValidSince + probation : long.MaxValue;

    public long Deadline => Math.Min(Math.Min(NextPing, Mtu.Next), SilentAt);

    /// <summary>There is nothing better: the path is trusted although it failed lately.</summary>
    public void EndProbation() => probation = 0;

    /// <summary>Begins a burst at <paramref name="start"/> unless the path works.</summary>
    public void Burst(long start)
    {
        if (!IsValid)
        {
            burstStart = start;
            burstStep = 0;
            NextPing = start;
        }
    }

    /// <summary>The peer itself has left this path: unless a pong comes at once, so do we.</summary>
    /// <param name="now">Loop time.</param>
    /// <param name="after">Unless something came here within that time.</param>
    /// <returns>Whether the doubt is new.</returns>
    public bool Doubt(long now, long after)
    {
        if (!IsValid || doubtedSince != long.MaxValue || now - Math.Max(LastPong, LastReceived) <= after)
        {
            return false;
        }

        doubtedSince = now;
        PingAtOnce(now);
        return true;
    }

    /// <summary>What led here is gone from our side: not used before it has answered once more, unless there is nothing else.</summary>
    public void Suspend(long now)
    {
        isSuspended = IsValid;
        suspendedAt = now;

        // How often it failed from elsewhere says nothing.
        flaps = 0;
        probation = 0;
        PingAtOnce(now);
    }

    public void PingAtOnce(long now) => NextPing = Math.Min(NextPing, now);

    /// <summary>Takes what is due and plans the next ping.</summary>
    /// <param name="selected">Datagrams take this path.</param>
    /// <param name="active">Traffic flows on it.</param>
    public void TakeDue(long now, bool selected, bool active, Func<TransactionId> newTransaction, List<ProbeOrder> orders)
    {
        if (now >= NextPing)
        {
            bool full = selected && active && IsValid && Mtu.Confirmed > MtuProber.Base
                && (Mtu.IsDoubted ? lastFullPing == 0 : ++pings % PathTiming.FullPingEvery == 0);
            Send(now, full ? Mtu.Confirmed : 0, newTransaction, orders);
            if (full)
            {
                lastFullPing = now;
            }

            NextPing = Plan(now, selected, active);
        }
        else if (IsValid)
        {
            NextPing = Math.Min(NextPing, Plan(now, selected, active));
        }

        if (IsValid)
        {
            Span<int> sizes = stackalloc int[8];
            foreach (int size in sizes[..Mtu.CopyDue(now, sizes)])
            {
                Send(now, size, newTransaction, orders);
            }
        }
    }

    /// <returns>False if this ping was not sent here, or long ago.</returns>
    public bool OnPong(TransactionId transaction, long now)
    {
        int index = pending.FindIndex(p => p.Transaction == transaction);
        if (index < 0)
        {
            return false;
        }

        SentPing ping = pending[index];
        long sample = Math.Max(1, now - ping.SentAt);
        if (RoundTrip == 0 || ping.Size == 0)
        {
            // A peer that slept answers what it finds in its queue: such a sample is soon forgotten, or the path could be silent for long.
            RoundTrip = RoundTrip == 0 ? sample : sample < RoundTrip / 2 ? (RoundTrip + sample) / 2 : ((7 * RoundTrip) + sample) / 8;
        }

        Mtu.OnPong(ping.Size);
        lastFullPing = ping.SentAt == lastFullPing ? 0 : lastFullPing;
        if (IsValid && ping.Size == 0)
        {
            // Pings of the burst that opened the path were meant to be lost.
            foreach (SentPing earlier in pending)
            {
                if (earlier.Size == 0 && earlier.SentAt <= ping.SentAt && earlier.SentAt > ValidSince)
                {
                    Loss += ((earlier.SentAt < ping.SentAt ? 1 : 0) - Loss) / LossSamples;
                }
            }
        }

        pending.RemoveAll(p => p.Size == 0 ? p.SentAt <= ping.SentAt : p.Transaction == transaction);
        if (lastFullPing != 0 && ping.Size == 0 && ping.SentAt > lastFullPing && pending.Exists(p => p.SentAt == lastFullPing))
        {
            lastFullPing = 0;
            Mtu.OnFullPingLost(now);
        }

        Recount();
        isSuspended &= ping.SentAt < suspendedAt;
        LastPong = LastUse = now;
        doubtedSince = long.MaxValue;
        if (!IsValid)
        {
            IsValid = true;
            ValidSince = now;
            burstStart = long.MaxValue;
            if (now - lastFlap > PathTiming.FlapMemory)
            {
                flaps = 0;
            }

            probation = flaps < 2 ? 0 : Math.Min(PathTiming.Second << Math.Min(flaps - 2, 5), PathTiming.MaxProbation);
            NextPing = now + (probation > 0 ? PathTiming.WatchPing : PathTiming.ActivePing);
            Mtu.Start(now);
        }

        return true;
    }

    /// <summary>The path no longer answers.</summary>
    /// <returns>For how long it has been silent; 0 if it is not.</returns>
    public long CheckSilence(long now)
    {
        if (!IsValid || now < SilentAt)
        {
            return 0;
        }

        long silent = now - unansweredSince;
        flaps = now - lastFlap > PathTiming.FlapMemory ? 1 : flaps + 1;
        lastFlap = now;
        Invalidate();
        return silent;
    }

    /// <summary>An answer should have come by now.</summary>
    public bool IsLate(long now) => unanswered > 0 && now - unansweredSince > (2 * RoundTrip) + (50 * PathTiming.Millisecond);

    public void Invalidate()
    {
        IsValid = isSuspended = false;
        doubtedSince = long.MaxValue;
        pending.Clear();
        Recount();
        NextPing = long.MaxValue;
        Mtu.Stop();
    }

    /// <summary>The program did not run for that long: what was not answered meanwhile is nobody's fault.</summary>
    public void Excuse(long lag)
    {
        if (unanswered > 0)
        {
            unansweredSince += lag;
        }
    }

    private long SilentAt
    {
        get
        {
            if (IsValid && doubtedSince != long.MaxValue && unanswered >= PathTiming.DoubtPings)
            {
                return Math.Max(unansweredSince, doubtedSince) + Math.Clamp(4 * RoundTrip, PathTiming.DoubtSilence, PathTiming.SilentAfter);
            }

            if (!IsValid || unanswered < PathTiming.SilentPings)
            {
                return long.MaxValue;
            }

            long limit = Math.Clamp(4 * RoundTrip, PathTiming.SilentAfter, PathTiming.MaxSilentAfter);
            return unansweredSince + limit + (LastReceived > unansweredSince + (limit / 2) ? PathTiming.SilentGrace : 0);
        }
    }

    private long Plan(long now, bool selected, bool active)
    {
        if (!IsValid)
        {
            ReadOnlySpan<int> offsets = PathTiming.BurstMilliseconds;
            if (burstStart == long.MaxValue || ++burstStep >= offsets.Length)
            {
                burstStart = long.MaxValue;
                return long.MaxValue;
            }

            return burstStart + (offsets[burstStep] * PathTiming.Millisecond);
        }

        bool late = IsLate(now) || doubtedSince != long.MaxValue;
        long lastPing = pending.Count > 0 ? Math.Max(LastPong, pending[^1].SentAt) : LastPong;
        long pause = selected && (active || doubtedSince != long.MaxValue)
            ? late || Mtu.IsDoubted ? PathTiming.SuspectPing : PathTiming.ActivePing
            : late || now < ValidSince + probation ? PathTiming.WatchPing : PathTiming.IdlePing;
        return Math.Max(lastPing + pause, now + (10 * PathTiming.Millisecond));
    }

    private void Send(long now, int size, Func<TransactionId> newTransaction, List<ProbeOrder> orders)
    {
        if (pending.Count >= 64)
        {
            pending.RemoveAt(0);
        }

        SentPing ping = new(newTransaction(), now, size);
        pending.Add(ping);
        LastUse = now;
        if (size == 0)
        {
            unansweredSince = unanswered++ == 0 ? now : unansweredSince;
        }

        orders.Add(new ProbeOrder(address, ping.Transaction, size));
    }

    private void Recount()
    {
        unanswered = 0;
        foreach (SentPing ping in pending)
        {
            if (ping.Size == 0 && unanswered++ == 0)
            {
                unansweredSince = ping.SentAt;
            }
        }
    }

    private readonly record struct SentPing(TransactionId Transaction, long SentAt, int Size);
}
