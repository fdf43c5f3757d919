using System.Collections.Concurrent;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>All peers this agent has ever met or wanted. Found and made on any thread, used in the loop.</summary>
internal sealed class PeerTable(Func<NodeName, Peer> make)
{
    // Guards the making of peers: two must not exist for one node.
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<NodeName, Peer> byName = new();
    private readonly ConcurrentDictionary<MeshAddress, Peer> byAddress = new();

    public ICollection<Peer> All => byName.Values;

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
                known = make(node);
                byName[node] = known;
                byAddress[known.Address] = known;
            }

            return known;
        }
    }

    public Peer? Find(NodeName node) => byName.GetValueOrDefault(node);

    public Peer? Find(MeshAddress address) => byAddress.GetValueOrDefault(address);
}
