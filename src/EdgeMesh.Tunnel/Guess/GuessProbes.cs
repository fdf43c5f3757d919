using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Guess;

/// <summary>
/// The side behind the easy NAT: probes from its one port to ports that the peer named and then to random ones of its hard NAT, until
/// one of the peer's many mappings is hit or the budget is spent. In the loop only.
/// </summary>
internal sealed class GuessProbes
{
    private readonly PeerContext context;
    private readonly Peer peer;
    private readonly IReadOnlyList<WireAddress> targets;
    private readonly ReactorTimer timer;
    private readonly Queue<ushort> first = new();
    private readonly HashSet<ushort> tried = [];
    private readonly long end;
    private int left;

    /// <param name="context">What all peers share.</param>
    /// <param name="peer">Whom to reach.</param>
    /// <param name="targets">Its public addresses.</param>
    /// <param name="ports">Ports that it named.</param>
    /// <param name="random">How many others to try afterwards.</param>
    public GuessProbes(PeerContext context, Peer peer, IReadOnlyList<WireAddress> targets, ReadOnlySpan<ushort> ports, int random)
    {
        this.context = context;
        this.peer = peer;
        this.targets = targets;
        left = random;
        end = context.Now + GuessBudget.SocketsFor;
        timer = context.Reactor.CreateTimer(Send);
        First(ports);
    }

    public bool IsOver => left == 0 && first.Count == 0;

    /// <summary>The peer has opened other sockets: these ports are the next ones.</summary>
    public void First(ReadOnlySpan<ushort> ports)
    {
        first.Clear();
        foreach (ushort port in ports[..Math.Min(ports.Length, GuessBudget.Told)])
        {
            if (port >= GuessBudget.FirstPort)
            {
                first.Enqueue(port);
            }
        }

        timer.Set(context.Now);
    }

    public void Stop()
    {
        left = 0;
        first.Clear();
        timer.Cancel();
    }

    private void Send()
    {
        if (peer.Paths.Selected.IsDirect)
        {
            // The peer knows better than we that this path is gone; if it is not, no probe is needed.
            if (context.Now < end)
            {
                timer.Set(context.Now + (PathTiming.Second / 10));
            }
            else
            {
                Stop();
            }

            return;
        }

        Span<byte> ping = stackalloc byte[Probe.MinLength];
        for (int i = 0; i < GuessBudget.ProbesPerTick && !IsOver; i++)
        {
            WireAddress target = targets[(left + first.Count) % targets.Count].WithPort(Next());
            int length = peer.WritePing(ping);
            TunnelMetrics.CountProbe();
            _ = context.Port.Send(target, ping[..length], length);
        }

        if (!IsOver)
        {
            timer.Set(context.Now + GuessBudget.Tick);
        }
    }

    private ushort Next()
    {
        if (first.TryDequeue(out ushort named))
        {
            return named;
        }

        // Distinct ones: a port asked twice is a guess wasted.
        left--;
        while (true)
        {
            ushort port = (ushort)Random.Shared.Next(GuessBudget.FirstPort, ushort.MaxValue + 1);
            if (tried.Add(port))
            {
                return port;
            }
        }
    }
}
