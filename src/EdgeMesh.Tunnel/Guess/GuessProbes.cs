using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Guess;

/// <summary>
/// The side behind the easy NAT: probes from its one port to random ports of the hard NAT, until one of the peer's many mappings
/// is hit or the budget is spent. In the loop only.
/// </summary>
internal sealed class GuessProbes
{
    private readonly PeerContext context;
    private readonly Peer peer;
    private readonly IReadOnlyList<WireAddress> targets;
    private readonly ReactorTimer timer;
    private readonly ushort[] ports;
    private int sent;

    public GuessProbes(PeerContext context, Peer peer, IReadOnlyList<WireAddress> targets)
    {
        this.context = context;
        this.peer = peer;
        this.targets = targets;
        ports = new ushort[GuessBudget.Probes];

        // Distinct ones: a port asked twice is a guess wasted.
        HashSet<ushort> drawn = new(GuessBudget.Probes);
        while (drawn.Count < ports.Length)
        {
            drawn.Add((ushort)Random.Shared.Next(GuessBudget.FirstPort, ushort.MaxValue + 1));
        }

        drawn.CopyTo(ports);
        timer = context.Reactor.CreateTimer(Send);
        timer.Set(context.Now);
    }

    public bool IsOver => sent >= ports.Length;

    public void Stop()
    {
        sent = ports.Length;
        timer.Cancel();
    }

    private void Send()
    {
        if (peer.Paths.Selected.IsDirect)
        {
            Stop();
            return;
        }

        Span<byte> ping = stackalloc byte[Probe.MinLength];
        for (int i = 0; i < GuessBudget.ProbesPerTick && sent < ports.Length; i++, sent++)
        {
            WireAddress target = targets[sent % targets.Count].WithPort(ports[sent]);
            int length = peer.WritePing(ping);
            TunnelMetrics.Probes++;
            _ = context.Port.Send(target, ping[..length], length);
        }

        if (!IsOver)
        {
            timer.Set(context.Now + GuessBudget.Tick);
        }
    }
}
