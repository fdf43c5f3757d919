using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy;

/// <summary>
/// The endpoints of this node, as the tunnel's acceptor asks: a peer may dial these and nothing else. Reads the current
/// snapshot; the index is made anew when a snapshot is first asked for and shared by all callers.
/// </summary>
public sealed class LocalEndpoints(SnapshotCell cell, NodeName self)
{
    private Index index = new(MeshSnapshot.Empty, []);

    /// <summary>True if some Service has this endpoint on this node now, ready or still serving. Any thread.</summary>
    public bool Contains(TransportProtocol protocol, IPEndPoint endpoint)
    {
        MeshSnapshot current = cell.Current;
        Index known = Volatile.Read(ref index);
        if (!ReferenceEquals(known.Of, current))
        {
            known = new Index(current, Collect(current));
            Volatile.Write(ref index, known);
        }

        return known.Endpoints.Contains((protocol, endpoint.Address, endpoint.Port));
    }

    private HashSet<(TransportProtocol, IPAddress, int)> Collect(MeshSnapshot snapshot)
    {
        HashSet<(TransportProtocol, IPAddress, int)> found = [];
        foreach (ServiceState state in snapshot.Services.Values)
        {
            foreach (EndpointSlice slice in state.Slices)
            {
                foreach (Endpoint endpoint in slice.Endpoints)
                {
                    if (endpoint.Node != self || !(endpoint.IsReady || endpoint.IsServing || state.Service?.PublishNotReadyAddresses == true))
                    {
                        continue;
                    }

                    foreach (EndpointPort port in slice.Ports)
                    {
                        if (port.Port is ushort number)
                        {
                            found.Add((port.Protocol, endpoint.Address, number));
                        }
                    }
                }
            }
        }

        return found;
    }

    private sealed record Index(MeshSnapshot Of, HashSet<(TransportProtocol, IPAddress, int)> Endpoints);
}
