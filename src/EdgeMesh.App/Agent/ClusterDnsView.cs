using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Agent;

/// <summary>
/// The cluster as the proxy sees it: port 53 of the cluster's DNS Service has one endpoint, our own DNS server on this node, so
/// that pods whose resolv.conf names kube-dns just work. Everything else, the Service's other ports included, is as it is.
/// <para>The proxy knows nothing of it: to its rules this is one more local endpoint.</para>
/// </summary>
internal sealed class ClusterDnsView(
    SnapshotCell cell, IReadOnlyList<ServiceName> services, IPEndPoint dns, NodeName self, ILogger log) : IAsyncDisposable
{
    private const ushort DnsPort = 53;

    private readonly CancellationTokenSource stopping = new();
    private Task following = Task.CompletedTask;

    public SnapshotCell Seen { get; } = new();

    public void Start() => following = FollowAsync();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await following.ConfigureAwait(false);
        stopping.Dispose();
    }

    private async Task FollowAsync()
    {
        using SnapshotSubscription subscription = cell.Subscribe();
        try
        {
            while (true)
            {
                MeshChange change = await subscription.NextAsync(stopping.Token).ConfigureAwait(false);
                try
                {
                    Apply(change);
                }
                catch (Exception e)
                {
                    // The next change is taken over all the same.
                    AppLog.ClusterDnsFailed(log, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    internal void Apply(MeshChange change)
    {
        MeshUpdate update = new(Seen.Current);
        foreach (ServiceName name in change.Services)
        {
            Replace(update, name, change.New.Services.GetValueOrDefault(name));
        }

        foreach (NodeName name in change.Nodes)
        {
            if (change.New.Nodes.TryGetValue(name, out Node? node))
            {
                update.Set(node);
            }
            else
            {
                update.RemoveNode(name);
            }
        }

        if (change.New.IsSynced)
        {
            update.MarkSynced();
        }

        Seen.Publish(update);
    }

    private void Replace(MeshUpdate update, ServiceName name, ServiceState? next)
    {
        ImmutableArray<EndpointSlice> slices = next is null ? [] : services.Contains(name) ? Redirected(next) : next.Slices;
        if (Seen.Current.Services.TryGetValue(name, out ServiceState? old))
        {
            foreach (EndpointSlice gone in old.Slices.Where(was => slices.All(slice => slice.Key != was.Key)))
            {
                update.RemoveSlice(name, gone.Key);
            }
        }

        foreach (EndpointSlice slice in slices)
        {
            update.Set(slice);
        }

        if (next?.Service is { } service)
        {
            // Ours is local to every node; hints and policy of the real ones do not concern it.
            update.Set(service);
        }
        else
        {
            update.RemoveService(name);
        }
    }

    private ImmutableArray<EndpointSlice> Redirected(ServiceState state)
    {
        ServicePort[] ports = [.. state.Service?.Ports.Where(IsDns) ?? []];
        if (ports.Length == 0)
        {
            return state.Slices;
        }

        EndpointSlice ours = new()
        {
            Key = $"{state.Name.Namespace}/edgemesh-local-dns",
            Service = state.Name,
            Family = dns.AddressFamily,
            Ports = [.. ports.Select(port => new EndpointPort(port.Name, port.Protocol, (ushort)dns.Port))],
            Endpoints = [new Endpoint { Address = dns.Address, Node = self }],
        };
        return
        [
            .. state.Slices.Select(slice => slice.Family != dns.AddressFamily ? slice : slice with
            {
                Ports = [.. slice.Ports.Where(candidate => !ports.Any(port => port.Name == candidate.Name && port.Protocol == candidate.Protocol))],
            }),
            ours,
        ];
    }

    private static bool IsDns(ServicePort port) =>
        port.Port == DnsPort && port.Protocol is (TransportProtocol.Udp or TransportProtocol.Tcp);
}
