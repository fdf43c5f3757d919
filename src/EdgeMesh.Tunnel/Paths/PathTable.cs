using System.Globalization;
using System.Net;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Paths;

/// <summary>
/// All ways to one peer. In go candidates, relays, authenticated probes and traffic, each with the time; out come the pings to
/// send, the selected path, whether a punch round is due, and when to look again. No I/O.
/// </summary>
internal sealed class PathTable(Func<TransactionId> newTransaction)
{
    private readonly List<DirectPath> directs = [];
    private readonly List<RelayRoute> relays = [];
    private IReadOnlyList<IPNetwork> localSubnets = [];
    private bool canProbe;
    private long lastActive = long.MinValue / 2;
    private long relayHeardAt = long.MinValue / 2;
    private long selectedAt = long.MinValue / 2;
    private long nextPunch = long.MaxValue;
    private int punchRound;
    private long deadline = long.MaxValue;

    public PathSelection Selected { get; private set; }

    /// <summary>Why this path: one clause for the operator.</summary>
    public string Why { get; private set; } = "no path yet";

    public IReadOnlyList<DirectPath> Directs => directs;

    /// <summary>Largest QUIC datagram on the selected path if that is direct.</summary>
    public int Mtu => Selected.IsDirect && Find(Selected.Remote) is { } path ? path.Mtu.Confirmed : MtuProber.Base;

    /// <summary>Of the selected path; null where it is a relay, whose two legs nobody measures.</summary>
    public double? Loss => Selected.IsDirect ? Find(Selected.Remote)?.Loss : null;

    /// <summary>Round trip of the selected path if that is direct, else of both legs of its relay; 0 = unknown.</summary>
    public long RoundTrip => Selected.IsDirect ? Find(Selected.Remote)?.RoundTrip ?? 0 : relays.Find(r => r.Id == Selected.RelayId).RoundTrip;

    /// <summary>Probes can be authenticated from now on: bursts begin.</summary>
    public void EnableProbes(long now)
    {
        canProbe = true;
        StartRound(now);
    }

    /// <summary>The peer has restarted or its connection is gone: nothing that was measured holds.</summary>
    public void DisableProbes()
    {
        canProbe = false;
        nextPunch = long.MaxValue;
        foreach (DirectPath path in directs)
        {
            path.Invalidate();
        }
    }

    public void SetLocalSubnets(IReadOnlyList<IPNetwork> subnets)
    {
        localSubnets = subnets;
        foreach (DirectPath path in directs)
        {
            path.IsLan = IsLocal(path.Address);
        }
    }

    /// <summary>What the peer says about itself replaces what it said before.</summary>
    public void SetCandidates(IReadOnlyList<Candidate> candidates, long now)
    {
        foreach (DirectPath path in directs)
        {
            path.IsCandidate = false;
        }

        bool news = false;
        foreach (Candidate candidate in candidates)
        {
            news |= Find(candidate.Address) is null;
            if (Add(candidate.Address, now) is { } path)
            {
                path.IsCandidate = true;
            }
        }

        directs.RemoveAll(p => !p.IsCandidate && !p.IsValid && p.LastUse < now - (60 * PathTiming.Second));
        if (news)
        {
            StartRound(now);
        }
    }

    public void SetRelays(IEnumerable<RelayRoute> routes)
    {
        relays.Clear();
        relays.AddRange(routes);
    }

    /// <summary>Our own candidates or interfaces have changed: all that works is tested at once, all else is tried anew.</summary>
    /// <param name="now">Loop time.</param>
    /// <param name="hasMoved">An address of ours is gone: what worked from it must show that it still does.</param>
    public void OnLocalChange(long now, bool hasMoved)
    {
        foreach (DirectPath path in directs)
        {
            if (hasMoved)
            {
                path.Suspend(now);
            }
            else
            {
                path.PingAtOnce(now);
            }
        }

        StartRound(now);
        Select(now, "an address of this node is gone");
    }

    /// <summary>A round of bursts begins at <paramref name="start"/> towards every address that does not work.</summary>
    public void Burst(long start)
    {
        if (canProbe)
        {
            foreach (DirectPath path in directs)
            {
                path.Burst(start);
            }
        }
    }

    /// <summary>A datagram went out on the selected path.</summary>
    public void OnSent(int bytes, long now)
    {
        if (bytes >= PathTiming.ActiveBytes)
        {
            if (now - lastActive > PathTiming.ActiveFor && Selected.IsDirect)
            {
                // Traffic after a pause: is the path still there?
                Find(Selected.Remote)?.PingAtOnce(now);
                deadline = now;
            }

            lastActive = now;
        }
    }

    /// <summary>QUIC packets came from there. If that is not where ours go, and there nothing answers, the peer has probably moved.</summary>
    /// <returns>Whether that is news: look at the paths again at once.</returns>
    public bool OnReceived(WireAddress from, long now)
    {
        if (Find(from) is not { } path)
        {
            return false;
        }

        path.LastReceived = now;
        return path.IsValid && Selected.IsDirect && from != Selected.Remote
            && Find(Selected.Remote) is { } ours && ours.Doubt(now, PathTiming.MovedAfter);
    }

    /// <summary>QUIC packets came through a relay. If we still take a direct path, the peer has probably found it broken.</summary>
    /// <returns>Whether that is news: look at the paths again at once.</returns>
    public bool OnRelayed(long now)
    {
        relayHeardAt = now;
        return Selected.IsDirect && Find(Selected.Remote) is { } path && path.Doubt(now, PathTiming.DoubtAfter);
    }

    /// <summary>An authenticated ping. The caller answers it; from an unknown address it makes a peer-reflexive candidate.</summary>
    public void OnPing(WireAddress from, long now)
    {
        if (Find(from) is null && Add(from, now) is { } path && canProbe)
        {
            path.Burst(now);
            deadline = now;
        }
        else if (Find(from) is { IsValid: false } known && canProbe)
        {
            // Its probes get through to us: the way back is probably open now.
            known.PingAtOnce(now);
            deadline = now;
        }
    }

    /// <returns>True if the selected path answers again after it had not for a while.</returns>
    public bool OnPong(WireAddress from, TransactionId transaction, long now)
    {
        if (Find(from) is not { } path)
        {
            return false;
        }

        bool wasLate = path.IsLate(now) && Selected.Remote == from;
        if (!path.OnPong(transaction, now))
        {
            return false;
        }

        deadline = now;
        return wasLate;
    }

    /// <summary>The kernel refused a datagram of the selected path as too long.</summary>
    public void OnTooBig(WireAddress to, long now)
    {
        Find(to)?.Mtu.Shrink(now);
        deadline = now;
    }

    /// <summary>The kernel has no way to there any more.</summary>
    public void OnUnreachable(WireAddress to, long now)
    {
        if (Find(to) is { IsValid: true } path)
        {
            path.Invalidate();
            punchRound = 0;
            nextPunch = Math.Min(nextPunch, now + PathTiming.Second);
            Select(now, $"{to} has become unreachable");
        }
    }

    /// <summary>Rounds of probes since something direct last worked or addresses changed.</summary>
    public int Round => punchRound;

    /// <summary>Does what is due.</summary>
    /// <param name="orders">Pings to send are added.</param>
    /// <param name="punchDue">A round is due: tell the peer, then <see cref="Burst"/> half a round trip later.</param>
    /// <returns>When to call again, at the latest.</returns>
    public long Advance(long now, List<ProbeOrder> orders, out bool punchDue)
    {
        ExcuseLag(now);
        string? lost = null;
        foreach (DirectPath path in directs)
        {
            long silent = path.CheckSilence(now);
            if (silent > 0)
            {
                punchRound = 0;
                nextPunch = Math.Min(nextPunch, now + PathTiming.Second);
                lost = path.Address == Selected.Remote ? $"{Name(path.Kind)} {path.Address} was silent for {Text(silent)}" : lost;
            }
        }

        Select(now, lost);
        bool active = now - lastActive < PathTiming.ActiveFor;
        if (canProbe)
        {
            if (IsSuspect(now))
            {
                CheckOthers(now);
            }

            foreach (DirectPath path in directs)
            {
                path.TakeDue(now, Selected.IsDirect && path.Address == Selected.Remote, active, newTransaction, orders);
            }
        }

        punchDue = canProbe && now >= nextPunch;
        if (punchDue)
        {
            nextPunch = now + NextPause(active);
        }

        deadline = nextPunch;
        foreach (DirectPath path in directs)
        {
            deadline = Math.Min(deadline, path.Deadline);
            if (path.UsableAt > now)
            {
                deadline = Math.Min(deadline, path.UsableAt);
            }
        }

        deadline = Math.Max(deadline, now + PathTiming.Millisecond);
        return deadline;
    }

    /// <summary>The selected direct path owes an answer.</summary>
    public bool IsSuspect(long now) => Selected.IsDirect && Find(Selected.Remote) is { } path && path.IsLate(now);

    /// <summary>The relays or anything else has changed: choose again.</summary>
    public void Reselect(long now, string? because) => Select(now, because);

    public DirectPath? Find(WireAddress address)
    {
        foreach (DirectPath path in directs)
        {
            if (path.Address == address)
            {
                return path;
            }
        }

        return null;
    }

    private void Select(long now, string? because)
    {
        if (IsRelayMute(now))
        {
            foreach (DirectPath path in directs)
            {
                if (path.IsValid && !path.IsLate(now))
                {
                    path.EndProbation();
                }
            }
        }

        PathSelection next = PathSelector.Choose(Selected, directs, relays, now);
        if (next == Selected)
        {
            return;
        }

        PathKind before = Selected.Kind;
        Selected = next;
        selectedAt = now;
        Why = (because is null ? "" : because + "; ") + Explain(next, before);
        if (next.Kind == PathKind.None)
        {
            StartRound(now);
        }
        else if (next.IsDirect)
        {
            punchRound = 0;
            nextPunch = next.Kind == PathKind.Lan ? long.MaxValue : now + PathTiming.UpgradePunch;
        }
    }

    /// <summary>Traffic goes through a relay and nothing comes back: a TCP leg that waits for its time-outs, perhaps. A path that answers is better, however often it failed.</summary>
    private bool IsRelayMute(long now) =>
        Selected.Kind is PathKind.RelayUdp or PathKind.RelayTls && now - lastActive < PathTiming.ActiveFor
        && now - Math.Max(selectedAt, relayHeardAt) > PathTiming.MuteAfter + (2 * RoundTrip);

    private string Explain(PathSelection next, PathKind before) => next.Kind switch
    {
        PathKind.Lan => $"{next.Remote} is in a subnet of ours and answers in {Text(Find(next.Remote)!.RoundTrip)}",
        PathKind.Direct => $"{next.Remote} answers in {Text(Find(next.Remote)!.RoundTrip)}",
        PathKind.RelayUdp when before == PathKind.RelayTls => "UDP to the server works again",
        PathKind.RelayTls when before == PathKind.RelayUdp => "UDP to the server gets no answer",
        PathKind.RelayUdp or PathKind.RelayTls when directs.Count == 0 => "no address of the peer known yet",
        PathKind.RelayUdp or PathKind.RelayTls => $"none of the peer's {directs.Count} addresses answers",
        _ => "no address answers and no server is connected",
    };

    private void StartRound(long now)
    {
        punchRound = 0;
        nextPunch = canProbe ? now : long.MaxValue;
        deadline = now;
    }

    private long NextPause(bool active)
    {
        if (Selected.IsDirect)
        {
            return Selected.Kind == PathKind.Lan ? long.MaxValue / 4 : PathTiming.UpgradePunch;
        }

        ReadOnlySpan<int> pauses = PathTiming.PunchSeconds;
        long pause = pauses[Math.Min(punchRound++, pauses.Length - 1)] * PathTiming.Second;
        return active ? Math.Min(pause, PathTiming.ActivePunch) : pause;
    }

    // By the time the selected path is given up, the others have answered or are known to be late.
    private void CheckOthers(long now)
    {
        foreach (DirectPath path in directs)
        {
            if (path.IsValid && path.Address != Selected.Remote && now - path.LastUse > PathTiming.ActivePing)
            {
                path.PingAtOnce(now);
            }
        }
    }

    // With traffic after a long pause the next round must not wait out the long pause of the idle time: Advance is called at
    // least once a second by its owner while traffic flows.
    private void ExcuseLag(long now)
    {
        if (now - lastActive < PathTiming.ActiveFor && !Selected.IsDirect && nextPunch != long.MaxValue)
        {
            nextPunch = Math.Min(nextPunch, now + PathTiming.ActivePunch);
        }

        long lag = deadline == long.MaxValue ? 0 : now - deadline;
        if (lag > 250 * PathTiming.Millisecond)
        {
            foreach (DirectPath path in directs)
            {
                path.Excuse(lag);
            }
        }
    }

    private DirectPath? Add(WireAddress address, long now)
    {
        if (Find(address) is { } known)
        {
            return known;
        }

        if (directs.Count >= PathTiming.MaxPaths)
        {
            int oldest = -1;
            for (int i = 0; i < directs.Count; i++)
            {
                if (!directs[i].IsValid && !directs[i].IsCandidate && (oldest < 0 || directs[i].LastUse < directs[oldest].LastUse))
                {
                    oldest = i;
                }
            }

            if (oldest < 0)
            {
                return null;
            }

            directs.RemoveAt(oldest);
        }

        DirectPath path = new(address, now) { IsLan = IsLocal(address) };
        directs.Add(path);
        return path;
    }

    private bool IsLocal(WireAddress address)
    {
        IPAddress ip = address.ToIPAddress();
        foreach (IPNetwork subnet in localSubnets)
        {
            if (subnet.Contains(ip))
            {
                return true;
            }
        }

        return false;
    }

    private static string Name(PathKind kind) => kind == PathKind.Lan ? "LAN path" : "direct path";

    private static string Text(long ns) => ns >= PathTiming.Second
        ? (ns / 1e9).ToString("0.0 s", CultureInfo.InvariantCulture)
        : (ns / 1e6).ToString("0.0 ms", CultureInfo.InvariantCulture);
}
