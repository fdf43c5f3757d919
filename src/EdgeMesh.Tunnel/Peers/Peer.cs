using System.Security.Cryptography;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Guess;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// One other node: its connections (mostly one), the ways to it, what waits for it. Owned by its shard's loop; only
/// <see cref="Flows"/>' opening is for other threads.
/// </summary>
internal sealed class Peer
{
    private const long Second = PathTiming.Second;

    /// <summary>Two dials within this time are a tie.</summary>
    private const long TieTime = 5 * Second;

    private const long HousekeepingPause = 5 * Second;

    /// <summary>A superseded connection without streams: by then the other side opens none on it either.</summary>
    private const long SupersededFor = 30 * Second;

    private const long IdleFor = 600 * Second;

    /// <summary>Not heard for this long, the peer may have restarted: payload waits for the status.</summary>
    private const long SurelyThereFor = 2 * Second;

    /// <summary>A server that has not answered anything yet is the last choice.</summary>
    private const long Unmeasured = Second;

    private readonly PeerContext context;
    private readonly List<PeerConnection> connections = [];
    private readonly List<Candidate> told = [];
    private readonly List<ProbeOrder> orders = [];
    private readonly List<ServerDistance> servers = [];
    private readonly ReactorTimer pathTimer;
    private readonly ReactorTimer housekeeping;
    private readonly PeerDials dials;
    private readonly PeerGuess guess;

    // Microseconds << 2 | tier; 0: not connected. Written in the loop.
    private long distance;
    private byte[] ticket = [];
    private byte[]? probeKey;
    private Guid bootId;
    private ushort punchRound;
    private PathSelection usedPath;
    private long lastBusy;
    private long nextTrafficWake;
    private WireAddress unreachable;

    public Peer(NodeName node, PeerContext context, Func<NodeName, IReadOnlyList<WireAddress>> knownAddresses)
    {
        this.context = context;
        Node = node;
        Address = MeshAddress.Of(node);
        OwnShare = RandomNumberGenerator.GetBytes(ControlHello.ShareLength);
        IsSmaller = node.CompareTo(context.Self) < 0;
        Paths = new PathTable(TransactionId.NewRandom);
        pathTimer = context.Reactor.CreateTimer(Advance);
        housekeeping = context.Reactor.CreateTimer(Housekeep);
        Gone = new PeerPresence(context);
        Traffic = new PeerTraffic();
        dials = new PeerDials(this, context, knownAddresses);
        guess = new PeerGuess(context, this);
        Flows = new FlowTable(context.Reactor, evenIds: !IsSmaller, context.Acceptor, dials.EnsureConnected);
    }

    public NodeName Node { get; }

    /// <summary>Whose loop it lives in. Any thread.</summary>
    public Shard Shard => context.Shard;

    public MeshAddress Address { get; }

    /// <summary>Its name is smaller than ours.</summary>
    public bool IsSmaller { get; }

    /// <summary>Our half of the probe key, as long as this agent runs.</summary>
    public byte[] OwnShare { get; }

    public PathTable Paths { get; }

    public FlowTable Flows { get; }

    public PeerPresence Gone { get; }

    public PeerTraffic Traffic { get; }

    /// <summary>Where new streams go; null while there is no connection.</summary>
    public PeerConnection? Current { get; private set; }

    public IReadOnlyList<PeerConnection> Connections => connections;

    /// <summary>The output of the selected path; null while there is none.</summary>
    public IQuicOutput? SelectedOutput { get; private set; }

    /// <summary>The largest relayed payload that the peer can receive.</summary>
    public int RelayLimit { get; set; } = RelayFrame.MaxUdpPayload;

    /// <summary>From any thread; of the path that was in use a moment ago.</summary>
    public PeerDistance Distance
    {
        get
        {
            long packed = Volatile.Read(ref distance);
            return packed == 0 ? new PeerDistance(PeerTier.Unknown, default) : new PeerDistance((PeerTier)(packed & 3), TimeSpan.FromMicroseconds(packed >> 2));
        }
    }

    public long Now => context.Now;

    /// <summary>Loop time since which it is connected or not.</summary>
    public long Since { get; private set; }

    /// <summary>Begins the next connection to this run of the peer without signatures, and a round trip sooner.</summary>
    public void Keep(byte[] next) => ticket = next;

    /// <summary>A ticket is good for one dial (RFC 8446 appendix C.4): if that fails, the next one goes without.</summary>
    public byte[] TakeTicket()
    {
        byte[] taken = ticket;
        ticket = [];
        return taken;
    }

    /// <summary>Gives the user a stream now or as soon as the peer is connected, or fails it.</summary>
    public void Open(IStreamUser user)
    {
        lastBusy = Now;
        if (context.IsStopping)
        {
            user.Fail(DialStatus.PeerUnreachable);
        }
        else if (Current is not { IsUsable: true } connection)
        {
            dials.Add(user);
        }
        else if (Gone.IsLost(this, Now))
        {
            user.Fail(DialStatus.PeerUnreachable);
        }
        else if (!TryStart(connection, user))
        {
            dials.Add(user);
        }
    }

    /// <summary>Streams that wait may be opened now.</summary>
    public void StartDials()
    {
        while (Current is { IsUsable: true } connection && dials.TryPeek(out IStreamUser? user))
        {
            if (!user.IsOver && !TryStart(connection, user))
            {
                return;
            }

            dials.Dequeue();
        }
    }

    public void OnConnected(PeerConnection connection)
    {
        connections.Add(connection);
        lastBusy = Now;
        if (connections.Count == 1)
        {
            Since = Now;
            TunnelMetrics.CountPeer(1);
        }

        if (housekeeping.Deadline == long.MaxValue)
        {
            housekeeping.Set(Now + HousekeepingPause);
        }

        Gone.Clear();
        UpdateRelays();
        connection.UseSelectedPath();
        Choose();
        if (connections.Count == 1)
        {
            TunnelLog.PeerConnected(context.Log, Node.Value, Paths.Selected.Kind == PathKind.None ? "on the way of its first packets" : Paths.Why);
        }
    }

    public void OnHello(PeerConnection connection, in ControlHello hello)
    {
        if (bootId != hello.BootId)
        {
            if (bootId != default && connections.Exists(c => c.BootId == bootId))
            {
                TunnelLog.PeerRestarted(context.Log, Node.Value);
            }

            bootId = hello.BootId;
            Paths.DisableProbes();
            servers.Clear();
            foreach (PeerConnection former in connections.ToArray())
            {
                // One that has not said hello yet may be the other half of two dials at once.
                if (former != connection && former.BootId is { } other && other != hello.BootId)
                {
                    former.Quic.Close(0, "the peer has restarted");
                }
            }
        }

        RelayLimit = Math.Clamp((int)hello.RelayLimit, RelayFrame.MaxUdpPayload, RelayFrame.MaxWebSocketPayload);
        probeKey = IsSmaller ? Probe.DeriveKey(hello.ProbeKeyShare, OwnShare) : Probe.DeriveKey(OwnShare, hello.ProbeKeyShare);
        if (!context.Options.DisableDirect)
        {
            Paths.SetLocalSubnets(context.Local.Subnets);
            Paths.EnableProbes(Now);
            Wake();
        }
    }

    public void OnCandidates(ReadOnlySpan<byte> body, long now)
    {
        if (context.Options.DisableDirect || !ControlCandidates.TryRead(body, told))
        {
            return;
        }

        told.RemoveAll(IsOurselves);
        guess.Learn(told);
        guess.Reset();
        List<Candidate> all = [.. told];
        all.AddRange(dials.Known().Select(a => new Candidate(CandidateKind.Configured, a)));
        Paths.SetCandidates(all, now);
        Wake();
    }

    public void OnPunch(long now)
    {
        Paths.Burst(now);
        Wake();
    }

    /// <summary>The peer, behind a hard NAT, wants us to guess its ports.</summary>
    public void OnGuess(ushort[] ports) => guess.OnPeerBegins(ports);

    public void OnGoing(PeerConnection connection) => Choose();

    public void OnClosed(PeerConnection connection, QuicCloseReason reason)
    {
        bool wasConnected = connections.Remove(connection);
        if (wasConnected && connections.Count == 0)
        {
            Since = Now;
            TunnelMetrics.CountPeer(-1);
            Paths.DisableProbes();
            probeKey = null;
            Volatile.Write(ref distance, 0);
            guess.Stop();
            TunnelLog.PeerDisconnected(context.Log, Node.Value, reason.Text.Length > 0 ? reason.Text : reason.Kind.ToString());
            housekeeping.Cancel();
            pathTimer.Cancel();
        }

        Choose();
        dials.OnClosed(connection, reason);
    }

    /// <summary>An authenticated-looking probe with our peer's mesh address: judge it, answer it.</summary>
    /// <returns>False if its seal is not good.</returns>
    public bool OnProbe(in Probe probe, ReadOnlySpan<byte> datagram, in WireAddress from)
    {
        if (probeKey is null || context.Options.DisableDirect || !Probe.Verify(datagram, probeKey))
        {
            return false;
        }

        if (probe.Kind == ProbeKind.Ping)
        {
            Span<byte> pong = stackalloc byte[Probe.MinLength];
            int length = new Probe(ProbeKind.Pong, context.SelfAddress, probe.Transaction, from).Write(pong, probeKey);
            _ = context.Port.Send(from, pong[..length], length);
            Paths.OnPing(from, Now);
        }
        else
        {
            // Also where the path has shrunk: all that was long was lost.
            int mtu = Paths.Mtu;
            if (Paths.OnPong(from, probe.Transaction, Now) || Paths.Mtu < mtu)
            {
                Current?.OnPathBack(Now);
            }
        }

        if (Current is { } connection)
        {
            connection.HeardProbe(Now);
        }

        Advance();
        return true;
    }

    /// <summary>Whether a datagram is a probe sealed with our common key.</summary>
    public bool IsFromPeer(ReadOnlySpan<byte> datagram) =>
        probeKey is not null && Probe.TryRead(datagram, out Probe probe) && probe.Sender == Address && Probe.Verify(datagram, probeKey);

    /// <summary>Writes a ping whose pong nobody waits for.</summary>
    /// <returns>Its length.</returns>
    public int WritePing(Span<byte> target) =>
        probeKey is null ? 0 : new Probe(ProbeKind.Ping, context.SelfAddress, TransactionId.NewRandom(), default).Write(target, probeKey);

    /// <summary>A server says that the peer is not connected to it.</summary>
    public void OnGone(RelayLink link)
    {
        if (Gone.Mark(link.Id, Now))
        {
            UpdateRelays();
        }

        dials.OnGone();
    }

    /// <summary>Servers have come or gone, or a leg has changed.</summary>
    public void OnRelaysChanged()
    {
        dials.OnRelaysChanged();
        UpdateRelays();
        foreach (PeerConnection connection in connections)
        {
            connection.SendRelayLimit(context.RelayLimit);
            connection.SendServers(context.Servers);
        }
    }

    /// <summary>Which servers the peer is connected to, and how far they are from it.</summary>
    public void OnServers(ReadOnlySpan<byte> body)
    {
        if (ControlMessage.TryReadServers(body, servers))
        {
            UpdateRelays();
        }
    }

    /// <summary>Our own addresses have changed.</summary>
    /// <param name="hasMoved">One of them is gone.</param>
    public void OnLocalChange(bool hasMoved)
    {
        Paths.SetLocalSubnets(context.Local.Subnets);
        foreach (PeerConnection connection in connections)
        {
            connection.SendCandidates();
        }

        guess.Reset();
        if (probeKey is not null && !context.Options.DisableDirect)
        {
            Paths.OnLocalChange(Now, hasMoved);
            UseSelection();
            Wake();
        }
    }

    public void CountSent(PathKind kind, int bytes)
    {
        Traffic.Sent[(int)kind] += bytes;
        TunnelMetrics.CountSent(kind, bytes);
        Paths.OnSent(bytes, Now);
        if (Now >= nextTrafficWake)
        {
            nextTrafficWake = Now + Second;
            Wake();
            foreach (RelayLink link in context.Links)
            {
                link.Watch();
            }
        }
    }

    public void CountReceived(in Route from, PathKind relayKind, int bytes)
    {
        PathKind kind = from.Link is null ? Paths.Find(from.Direct)?.Kind ?? PathKind.Direct : relayKind;
        Traffic.Received[(int)kind] += bytes;
        TunnelMetrics.CountReceived(kind, bytes);
        if (from.Link is { } link)
        {
            Gone.Clear(link.Id);
        }
    }

    /// <summary>The kernel says that there is no way to the address: leave it at the end of this turn.</summary>
    public void LeaveUnreachable(WireAddress address)
    {
        if (unreachable == default)
        {
            unreachable = address;
            context.Reactor.AtEndOfTurn(() =>
            {
                Paths.OnUnreachable(unreachable, Now);
                unreachable = default;
                Advance();
            });
        }
    }

    /// <summary>Looks at the paths again in this turn or the next.</summary>
    public void Wake() => pathTimer.Set(Now);

    /// <summary>A socket or queue has room again.</summary>
    public void OnWritable()
    {
        foreach (PeerConnection connection in connections)
        {
            connection.Quic.OutputWritable();
        }
    }

    public void SayGoing()
    {
        foreach (PeerConnection connection in connections)
        {
            connection.SendGoing();
        }
    }

    /// <summary>There is a new revocation list: the peer is cut off if it is on it, else told.</summary>
    public void OnRevocations()
    {
        foreach (PeerConnection connection in connections.ToArray())
        {
            if (context.IsRevoked(connection.Serial))
            {
                connection.Quic.Close(0, "certificate revoked");
            }
            else
            {
                connection.SendRevocations();
            }
        }
    }

    public void Dispose()
    {
        dials.FailAll(DialStatus.PeerUnreachable);
        guess.Stop();
        Flows.Dispose();
        pathTimer.Cancel();
        housekeeping.Cancel();
    }

    private bool TryStart(PeerConnection connection, IStreamUser user)
    {
        if (connection.Quic.OpenStream() is not { } stream)
        {
            return false;
        }

        connection.OpenStreams++;
        connection.LastUse = Now;
        user.Start(stream, Now - connection.HeardAt > SurelyThereFor, connection.OnStreamOver);
        return true;
    }

    private void UpdateRelays()
    {
        Paths.SetRelays(context.Links
            .Select(link => (link.Id, link.Way))
            .Where(relay => relay.Way.IsConnected)
            .Select(relay => new RelayRoute(
                relay.Id, relay.Way.Kind, RoundTripThrough(relay.Way), Gone.MayHave(relay.Id, Now), relay.Way.IsSuspect, relay.Way.IsDraining)));
        Paths.Reselect(Now, null);
        UseSelection();
        if (Paths.Selected.Kind == PathKind.None && connections.Count > 0)
        {
            Wake();
        }
    }

    // What the peer has not told counts as ours: of two servers that it does not name, the one nearer to us is the better guess.
    private long RoundTripThrough(RelayWay relay)
    {
        if (relay.RoundTrip == 0)
        {
            return Unmeasured;
        }

        foreach (ServerDistance server in servers)
        {
            if (server.Server == relay.ServerId)
            {
                return relay.RoundTrip + (server.Microseconds * 1000L);
            }
        }

        return 2 * relay.RoundTrip;
    }

    private void Advance()
    {
        orders.Clear();
        long next = Paths.Advance(Now, orders, out bool punchDue);
        UseSelection();
        Send(orders);
        if (punchDue && Current is { IsUsable: true } connection)
        {
            if (guess.TryBegin(Paths.Round) is { } ports)
            {
                connection.SendGuess(ports);
            }

            connection.SendPunch(punchRound++);
            Paths.Burst(Now + (connection.Quic.Stats.SmoothedRoundTrip / 2));
            orders.Clear();
            next = Paths.Advance(Now, orders, out _);
            Send(orders);
        }

        if (Paths.IsSuspect(Now))
        {
            // If the direct path is blocked, the ways to the servers may be too: know it by the time we fall back.
            foreach (RelayLink link in context.Links)
            {
                link.Check();
            }
        }

        pathTimer.Set(connections.Count > 0 ? next : long.MaxValue);
    }

    private void Measure(PathKind kind)
    {
        PeerTier tier = kind switch
        {
            PathKind.Lan => PeerTier.Lan,
            PathKind.Direct => PeerTier.Direct,
            PathKind.None => PeerTier.Unknown,
            _ => PeerTier.Relay,
        };

        // Never 0 for a peer that is connected.
        long microseconds = Math.Max(1, (Current?.Quic.Stats.SmoothedRoundTrip ?? 0) / 1000);
        Volatile.Write(ref distance, tier == PeerTier.Unknown || connections.Count == 0 ? 0 : (microseconds << 2) | (long)tier);
    }

    private void Send(List<ProbeOrder> pings)
    {
        if (probeKey is null)
        {
            return;
        }

        Span<byte> datagram = stackalloc byte[1500];
        foreach (ProbeOrder ping in pings)
        {
            int length = new Probe(ProbeKind.Ping, context.SelfAddress, ping.Transaction, default).Write(datagram, probeKey, ping.Size);
            TunnelMetrics.CountProbe();
            _ = context.Port.Send(ping.To, datagram[..length], length);
        }
    }

    private void UseSelection()
    {
        PathSelection selected = Paths.Selected;
        Measure(selected.Kind);
        if (selected == usedPath)
        {
            return;
        }

        PathKind before = usedPath.Kind;
        usedPath = selected;
        SelectedOutput = selected.Kind switch
        {
            PathKind.None => null,
            PathKind.Direct or PathKind.Lan => new DirectOutput(context.Port, this, selected.Kind, selected.Remote),
            _ => context.Link(selected.RelayId) is { } link ? new RelayOutput(link, context.Port, this) : null,
        };
        if (connections.Count > 0)
        {
            TunnelMetrics.CountSwitch();
            TunnelLog.PathChanged(context.Log, Node.Value, before, selected.Kind, Paths.Why);
        }

        foreach (PeerConnection connection in connections)
        {
            connection.UseSelectedPath();
        }
    }

    private void Choose()
    {
        PeerConnection? best = null;
        foreach (PeerConnection connection in connections)
        {
            if (connection.IsUsable && (best is null || IsPreferred(connection, best)))
            {
                best = connection;
            }
        }

        if (best != Current)
        {
            Current = best;
            lastBusy = Now;
            Flows.Attach(best?.Quic);
        }

        StartDials();
    }

    // On a tie the connection dialled by the smaller name; else the newer one: whoever dialled it had no use for the older.
    private bool IsPreferred(PeerConnection connection, PeerConnection than)
    {
        bool isTie = connection.IsDialledByUs != than.IsDialledByUs && Math.Abs(connection.ConnectedAt - than.ConnectedAt) < TieTime;
        return isTie ? connection.IsDialledByUs != IsSmaller : connection.ConnectedAt >= than.ConnectedAt;
    }

    private void Housekeep()
    {
        housekeeping.Set(Now + HousekeepingPause);
        if (connections.Exists(c => c.OpenStreams > 0) || Flows.Count > 0)
        {
            lastBusy = Now;
        }

        UpdateRelays();
        foreach (PeerConnection connection in connections)
        {
            connection.SendServers(context.Servers);
        }

        bool isLost = Gone.IsLost(this, Now);
        foreach (PeerConnection connection in connections.ToArray())
        {
            if (connection != Current && connection.OpenStreams == 0 && Now - connection.LastUse > SupersededFor)
            {
                connection.Quic.Close(0, "superseded");
            }
            else if (connection == Current && Now - Math.Max(lastBusy, connection.LastUse) > IdleFor)
            {
                connection.Quic.Close(0, "idle");
            }
            else if (isLost && Gone.IsLostFor(2 * PeerPresence.LostAfter, Now))
            {
                connection.Quic.Close(0, "the peer is connected to no server and answers at no address");
            }
        }
    }

    private bool IsOurselves(Candidate candidate) =>
        candidate.Address.Port == context.Port.Number && context.Local.Addresses.Contains(candidate.Address.ToIPAddress());
}
