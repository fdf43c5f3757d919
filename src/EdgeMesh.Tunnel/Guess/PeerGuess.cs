using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Guess;

/// <summary>
/// Guessing ports with one peer: when to, and which part is ours. The side behind the hard NAT decides and says so; hard against
/// hard is not tried, both would have to be lucky at once. In the loop only.
/// </summary>
internal sealed class PeerGuess(PeerContext context, Peer peer)
{
    private readonly List<WireAddress> easy = [];
    private readonly List<WireAddress> hard = [];
    private GuessSockets? sockets;
    private GuessProbes? probes;
    private int attempts;
    private long next;

    /// <summary>What the peer has said about its addresses.</summary>
    public void Learn(IReadOnlyList<Candidate> candidates)
    {
        easy.Clear();
        hard.Clear();
        foreach (Candidate candidate in candidates)
        {
            bool isOutside = candidate.Kind is CandidateKind.ServerReflexive or CandidateKind.PortMapped or CandidateKind.Configured;
            List<WireAddress>? list = candidate.Address.Family != 4 ? null : candidate.Kind == CandidateKind.HardReflexive ? hard : isOutside ? easy : null;
            WireAddress address = list == hard ? candidate.Address.WithPort(0) : candidate.Address;
            if (list is { Count: < 2 } && !list.Contains(address))
            {
                list.Add(address);
            }
        }
    }

    /// <summary>Addresses have changed, here or there: what failed before may work now.</summary>
    public void Reset()
    {
        attempts = 0;
        next = 0;
    }

    /// <summary>A round of ordinary probes is due and nothing direct works.</summary>
    /// <param name="round">How many there were before.</param>
    /// <returns>What the peer is to try first if a guess begins; null if none does.</returns>
    public ushort[]? TryBegin(int round)
    {
        bool isHard = context.IsBehindHardNat;
        if (!context.Options.GuessPorts || hard.Count > 0 || easy.Count == 0
            || round < (isHard ? GuessBudget.RoundsBefore : GuessBudget.RoundsBeforeFew) || context.Now < next || peer.Paths.Selected.IsDirect)
        {
            return null;
        }

        ReadOnlySpan<int> pauses = GuessBudget.PauseSeconds;
        sockets?.Stop();
        sockets = GuessSockets.Start(context, peer, easy, isHard ? GuessBudget.Sockets : GuessBudget.FewSockets);
        if (sockets is null)
        {
            return null;
        }

        attempts++;
        next = context.Now + GuessBudget.SocketsFor + (pauses[Math.Min(attempts, pauses.Length - 1)] * PathTiming.Second);
        return sockets.Ports(GuessBudget.Told);
    }

    /// <summary>The peer has opened sockets for us to find.</summary>
    /// <param name="ports">Which to try first; the only ones unless it is behind a hard NAT.</param>
    public void OnPeerBegins(ushort[] ports)
    {
        if (!context.Options.GuessPorts)
        {
            return;
        }

        // The peer paces its attempts; a peer that does not is held to one at a time.
        if (probes is { IsOver: false })
        {
            probes.First(ports);
        }
        else if (hard.Count > 0 || easy.Count > 0)
        {
            probes = new GuessProbes(context, peer, [.. hard.Count > 0 ? hard : easy.Take(1)], ports, hard.Count > 0 ? GuessBudget.Probes : 0);
        }
    }

    public void Stop()
    {
        sockets?.Stop();
        probes?.Stop();
    }
}
