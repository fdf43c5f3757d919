using System.Collections.Concurrent;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// All peers this agent has ever met or wanted, and which shard each belongs to: they take turns. Found and made on any thread, used
/// in their shard's loop.
/// </summary>
internal sealed class PeerTable(int shards, Func<NodeName, int, Peer> make)
{
    /// <summary>Diallers not known yet whose shard is kept: a second packet of theirs must find the first.</summary>
    public const int MaxStrangers = 4096;

    // Guards the making of peers, of which two must not exist for one node, and the fields below.
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<NodeName, Peer> byName = new();
    private readonly ConcurrentDictionary<MeshAddress, Peer> byAddress = new();
    private readonly Dictionary<MeshAddress, int> strangers = [];
    private readonly Queue<MeshAddress> oldest = [];
    private int next;

    public IEnumerable<Peer> All => byName.Select(entry => entry.Value);

    public Peer Get(NodeName node)
    {
        if (byName.TryGetValue(node, out Peer? known))
        {
            return known;
        }

        lock (gate)
        {
            if (!byName.TryGetValue(node, out known))
            {
                known = make(node, ShardOf(MeshAddress.Of(node)));
                byAddress[known.Address] = known;
                byName[node] = known;
                strangers.Remove(known.Address);
            }

            return known;
        }
    }

    public Peer? Find(NodeName node) => byName.GetValueOrDefault(node);

    public Peer? Find(MeshAddress address) => byAddress.GetValueOrDefault(address);

    /// <summary>The shard of the peer with that address, known or not. Anybody may make addresses up: what is kept of them is bounded.</summary>
    public int ShardOf(MeshAddress address)
    {
        if (shards == 1)
        {
            return 0;
        }

        if (Find(address) is { } known)
        {
            return known.Shard.Index;
        }

        lock (gate)
        {
            if (Find(address) is { } made)
            {
                return made.Shard.Index;
            }

            if (!strangers.TryGetValue(address, out int shard))
            {
                shard = next;
                next = (next + 1) % shards;
                strangers[address] = shard;
                oldest.Enqueue(address);
                if (oldest.Count > MaxStrangers)
                {
                    strangers.Remove(oldest.Dequeue());
                }
            }

            return shard;
        }
    }
}
