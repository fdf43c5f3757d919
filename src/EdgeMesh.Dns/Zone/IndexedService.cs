using System.Collections.Immutable;
using System.Net;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>
/// What DNS needs of one Service beyond the model's own object: for a headless one its endpoints, each address once, in the
/// shape they are answered in. Made when the Service changes, never per query.
/// </summary>
internal sealed class IndexedService(Service service, ImmutableArray<HeadlessEndpoint> endpoints)
{
    public Service Service => service;

    public ImmutableArray<HeadlessEndpoint> Endpoints => endpoints;

    public static IndexedService? From(ServiceState? state)
    {
        // A name that is no label cannot be asked for, nor written as the target of another record.
        if (state?.Service is not { } service || !DnsName.IsLabel(service.Name.Name) || !DnsName.IsLabel(service.Name.Namespace))
        {
            return null;
        }

        return new IndexedService(service, service.IsHeadless && service.Type != ServiceType.ExternalName ? Published(state, service) : []);
    }

    private static ImmutableArray<HeadlessEndpoint> Published(ServiceState state, Service service)
    {
        ImmutableArray<HeadlessEndpoint>.Builder endpoints = ImmutableArray.CreateBuilder<HeadlessEndpoint>();

        // An endpoint may stand in two slices for a moment, and on edge nodes pods of two nodes may have one address.
        HashSet<(DnsAddress, string?)> seen = [];
        HashSet<DnsAddress> addresses = [];
        HashSet<(string Label, string Ports)> targets = [];
        foreach (EndpointSlice slice in state.Slices)
        {
            string ports = string.Join(',', slice.Ports);
            foreach (Endpoint endpoint in slice.Endpoints)
            {
                DnsAddress address = DnsAddress.From(endpoint.Address);
                string? hostname = endpoint.Hostname is { } own && DnsName.IsLabel(own) ? own : null;
                if ((endpoint.IsReady || service.PublishNotReadyAddresses) && seen.Add((address, hostname)))
                {
                    string label = hostname ?? Dashed(endpoint.Address);
                    endpoints.Add(new HeadlessEndpoint(Encoding.ASCII.GetBytes(label), address, slice.Ports)
                    {
                        IsFirstOfTarget = targets.Add((label, ports)),
                        IsFirstOfAddress = addresses.Add(address),
                    });
                }
            }
        }

        return endpoints.DrainToImmutable();
    }

    private static string Dashed(IPAddress address)
    {
        string text = address.ToString();
        int scope = text.IndexOf('%', StringComparison.Ordinal);
        return (scope < 0 ? text : text[..scope]).Replace('.', '-').Replace(':', '-');
    }
}
