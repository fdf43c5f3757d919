using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>One way from a client pod to a server pod: what is compared.</summary>
/// <param name="Place">Where the two pods are: one row group of the report.</param>
/// <param name="Carrier">What carries it: "no mesh", "TLS over TCP", or the mesh's path.</param>
/// <param name="Client">The pod that asks.</param>
/// <param name="Address">Where it connects.</param>
/// <param name="PortOf">From a pod's port to the port at that address.</param>
/// <param name="Carriers">The processes whose CPU time is this way's cost.</param>
/// <param name="Prepare">Brings the network and a fresh pair of agents into the state the way needs.</param>
/// <param name="HasUdp">Whether datagrams go this way at all.</param>
internal sealed record Way(
    string Place,
    string Carrier,
    Pod Client,
    string Address,
    Func<int, int> PortOf,
    Func<IReadOnlyList<LabProcess>> Carriers,
    Func<CancellationToken, Task> Prepare,
    bool HasUdp = true)
{
    public string Name => $"{Place}, {Carrier}";
}
