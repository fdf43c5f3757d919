using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Guess;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel;

/// <summary>
/// What all threads of the tunnel see. What changes is replaced as a whole by <see cref="TunnelLoop"/>, which tells the shards
/// afterwards. Any thread.
/// </summary>
internal sealed class TunnelState(TunnelOptions options, NodeIdentity identity, Revocations revocations, StreamAcceptor acceptor, ILogger log)
{
    private volatile IReadOnlyList<RelayLink> links = [];
    private volatile IReadOnlyList<Candidate> candidates = [];
    private volatile LocalAddresses local = LocalAddresses.None;
    private volatile bool isBehindHardNat;
    private volatile bool isStopping;
    private int guesses;

    public TunnelOptions Options => options;

    public NodeIdentity Identity => identity;

    public MeshAddress SelfAddress { get; } = MeshAddress.Of(options.Self);

    /// <summary>Tells one run of this agent from the next.</summary>
    public Guid BootId { get; } = Guid.NewGuid();

    public Revocations Revocations => revocations;

    public StreamAcceptor Acceptor => acceptor;

    public ILogger Log => log;

    public QuicResetTokens ResetTokens { get; } = new();

    /// <summary>Set once, before anything runs.</summary>
    public IReadOnlyList<Shard> Shards { get; set; } = [];

    /// <inheritdoc cref="Shards"/>
    public PeerTable Peers { get; set; } = null!;

    /// <summary>No new streams.</summary>
    public bool IsStopping
    {
        get => isStopping;
        set => isStopping = value;
    }

    public IReadOnlyList<RelayLink> Links
    {
        get => links;
        set => links = value;
    }

    /// <summary>Where this node might be reached.</summary>
    public IReadOnlyList<Candidate> Candidates
    {
        get => candidates;
        set => candidates = value;
    }

    /// <summary>Servers see us at another port each, and no port is mapped to ours: nobody can know where to reach us.</summary>
    public bool IsBehindHardNat
    {
        get => isBehindHardNat;
        set => isBehindHardNat = value;
    }

    public LocalAddresses Local
    {
        get => local;
        set => local = value;
    }

    /// <summary>The server whose relayed data comes from there, or null.</summary>
    public RelayLink? LinkAt(in WireAddress address)
    {
        foreach (RelayLink link in Links)
        {
            if (link.IsUdpServer(address))
            {
                return link;
            }
        }

        return null;
    }

    /// <summary>Room for one more guess with many sockets, to be given back.</summary>
    public bool TryTakeGuess()
    {
        bool has = Interlocked.Increment(ref guesses) <= GuessBudget.MaxRunning;
        if (!has)
        {
            GiveGuess();
        }

        return has;
    }

    public void GiveGuess() => Interlocked.Decrement(ref guesses);
}
