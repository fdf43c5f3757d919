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
    /// <returns>Whether the peer is to be told that a guess begins.</returns>
    public bool TryBegin(int round)
    {
        if (!context.Options.GuessPorts || !context.IsBehindHardNat || hard.Count > 0 || easy.Count == 0
            || round < GuessBudget.RoundsBefore || context.Now < next || peer.Paths.Selected.IsDirect)
        {
            return false;
        }

        ReadOnlySpan<int> pauses = GuessBudget.PauseSeconds;
        sockets?.Stop();
        sockets = GuessSockets.Start(context, peer, easy);
        if (sockets is null)
        {
            return false;
        }

        attempts++;
        next = context.Now + GuessBudget.SocketsFor + (pauses[Math.Min(attempts, pauses.Length - 1)] * PathTiming.Second);
        return true;
    }

    /// <summary>The peer, behind a hard NAT, has opened its sockets.</summary>
    public void OnPeerBegins()
    {
        // The peer paces its attempts; a peer that does not is held to one at a time.
        if (context.Options.GuessPorts && hard.Count > 0 && probes is not { IsOver: false })
        {
            probes = new GuessProbes(context, peer, [.. hard]);
        }
    }

    public void Stop()
    {
        sockets?.Stop();
        probes?.Stop();
    }
}
