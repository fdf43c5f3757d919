using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Paths;

/// <summary>
/// Two tables on a virtual clock with NATs between them. Datagrams take <see cref="Delay"/>; a fault says which vanish. Nodes of
/// one LAN reach each other's private addresses.
/// </summary>
internal sealed class SimPair(SimNode a, SimNode b, bool sameLan = false)
{
    private readonly PriorityQueue<Action, (long At, int Order)> events = new();
    private readonly List<ProbeOrder> orders = [];
    private readonly Dictionary<SimNode, long> deadlines = new() { [a] = 0, [b] = 0 };
    private int order;

    public long Now { get; private set; } = 1_000 * PathTiming.Second;

    public long Delay { get; set; } = 10 * PathTiming.Millisecond;

    /// <summary>True drops the datagram. From, to (as sent), size.</summary>
    public Func<SimNode, WireAddress, int, bool> Fault { get; set; } = (_, _, _) => false;

    /// <summary>Both sides send traffic every 50 ms.</summary>
    public bool Traffic { get; set; }

    /// <summary>What goes to a relay is never answered: its TCP waits for a time-out.</summary>
    public bool RelayIsMute { get; set; }

    public SimNode A => a;

    public SimNode B => b;

    public void Connect(PathKind relay = PathKind.RelayUdp)
    {
        foreach ((SimNode node, SimNode peer) in ((SimNode, SimNode)[])[(a, b), (b, a)])
        {
            if (relay != PathKind.None)
            {
                node.Table.SetRelays([new RelayRoute(0, relay, 20 * PathTiming.Millisecond, true)]);
            }

            node.Table.SetCandidates(peer.Candidates, Now);
            node.Table.EnableProbes(Now);
        }

        At(Now, PulseTraffic);
    }

    /// <summary>Looks at a node's paths now, as its owner does on news.</summary>
    public void Wake(SimNode node) => deadlines[node] = Now;

    public void Run(long nanoseconds)
    {
        long end = Now + nanoseconds;
        while (true)
        {
            long timer = Math.Min(deadlines[a], deadlines[b]);
            long next = events.TryPeek(out _, out (long At, int) head) ? Math.Min(head.At, timer) : timer;
            if (next > end)
            {
                Now = end;
                return;
            }

            Now = Math.Max(Now, next);
            while (events.TryPeek(out _, out head) && head.At <= Now)
            {
                events.Dequeue()();
            }

            Advance(a, b);
            Advance(b, a);
        }
    }

    private void Advance(SimNode node, SimNode peer)
    {
        orders.Clear();
        PathSelection before = node.Table.Selected;
        deadlines[node] = node.Table.Advance(Now, orders, out bool punch);
        if (node.Table.Selected != before)
        {
            node.History.Add((Now, node.Table.Selected, node.Table.Why));
        }

        foreach (ProbeOrder ping in orders)
        {
            node.PingsSent++;
            Send(node, peer, ping.To, ping.Size, (from, to) =>
            {
                peer.Table.OnPing(from, Now);
                Send(peer, node, from, 0, (pongFrom, _) => node.Table.OnPong(pongFrom, ping.Transaction, Now));
            });
        }

        if (punch)
        {
            // The punch message takes the relay: the peer begins when it comes, we half a round trip later.
            At(Now + (2 * Delay), () => peer.Table.Burst(Now));
            node.Table.Burst(Now + (2 * Delay));
            deadlines[node] = Now;
        }
    }

    private void Send(SimNode node, SimNode peer, WireAddress to, int size, Action<WireAddress, WireAddress> arrive)
    {
        bool local = sameLan && to == peer.Private;
        WireAddress from = local ? node.Private : node.Leave(to);
        if (Fault(node, to, size) || size > node.Mtu)
        {
            return;
        }

        At(Now + Delay, () =>
        {
            if (local || peer.Lets(from, to))
            {
                arrive(from, to);
            }
        });
    }

    private void PulseTraffic()
    {
        if (Traffic)
        {
            foreach (SimNode node in (SimNode[])[a, b])
            {
                node.Table.OnSent(1000, Now);
                if (!RelayIsMute && !node.Table.Selected.IsDirect)
                {
                    node.Table.OnRelayed(Now);
                }
            }
        }

        At(Now + (50 * PathTiming.Millisecond), PulseTraffic);
    }

    private void At(long when, Action action) => events.Enqueue(action, (when, order++));
}
