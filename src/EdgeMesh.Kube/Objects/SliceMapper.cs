using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// A <c>discovery.k8s.io/v1</c> EndpointSlice. Conditions default as kube-proxy reads them (ready and serving true, terminating
/// false); only the first address of an endpoint has a meaning.
/// </summary>
internal static class SliceMapper
{
    private const string ServiceLabel = "kubernetes.io/service-name";

    /// <summary>Null for a slice of host names (addressType FQDN), which kube-proxy and DNS leave alone too.</summary>
    public static EndpointSlice? Map(Fields root)
    {
        Mapping mapping = root.Mapping;
        AddressFamily? family = root.Word("addressType",
        [
            ("IPv4", AddressFamily.InterNetwork), ("IPv6", AddressFamily.InterNetworkV6), ("FQDN", AddressFamily.Unspecified),
        ]);
        if (family is null && root.Map["addressType"].Kind == DatumKind.Null)
        {
            mapping.Fault(root.Map.Line, "addressType is missing (IPv4 or IPv6)");
        }

        if (family == AddressFamily.Unspecified)
        {
            return null;
        }

        Fields labels = root.Inner("metadata", "metadata").Inner("labels", "metadata.labels");
        string service = labels.Text(ServiceLabel) ?? "";
        if (!DnsName.IsLabel(service))
        {
            mapping.Fault(
                labels.Map.Line,
                service.Length == 0
                    ? $"label {ServiceLabel} is missing: it names the Service the endpoints belong to"
                    : $"label {ServiceLabel}: \"{service}\" is not a Service name");
        }

        return new EndpointSlice
        {
            Key = $"{mapping.Subject.Namespace}/{mapping.Subject.Name}",
            Service = new ServiceName(mapping.Subject.Namespace, service),
            Family = family ?? AddressFamily.InterNetwork,
            Ports = Ports(root),
            Endpoints = Endpoints(root, family ?? AddressFamily.InterNetwork),
        };
    }

    private static ImmutableArray<EndpointPort> Ports(Fields root)
    {
        ImmutableArray<EndpointPort>.Builder ports = ImmutableArray.CreateBuilder<EndpointPort>();
        foreach (Fields fields in root.Maps("ports", "ports[]"))
        {
            string name = fields.Text("name") ?? "";
            TransportProtocol protocol = fields.Protocol();
            int? port = fields.Number("port", 1, 65535);
            if (ports.Any(other => other.Name == name))
            {
                fields.Fault("name", $"\"{name}\" stands twice");
            }
            else
            {
                ports.Add(new EndpointPort(name, protocol, (ushort?)port));
            }
        }

        return ports.DrainToImmutable();
    }

    private static ImmutableArray<Endpoint> Endpoints(Fields root, AddressFamily family)
    {
        ImmutableArray<Endpoint>.Builder endpoints = ImmutableArray.CreateBuilder<Endpoint>(root.Items("endpoints").Count);
        foreach (Fields fields in root.Maps("endpoints", "endpoints[]"))
        {
            if (Address(fields, family) is IPAddress address)
            {
                endpoints.Add(One(fields, address));
            }
        }

        return endpoints.DrainToImmutable();
    }

    private static Endpoint One(Fields fields, IPAddress address)
    {
        Fields conditions = fields.Inner("conditions", "endpoints[].conditions");
        Fields hints = fields.Inner("hints", "endpoints[].hints");
        Fields target = fields.Inner("targetRef", "endpoints[].targetRef");
        string? hostname = fields.Text("hostname");
        if (hostname is { Length: > 0 } && !DnsName.IsLabel(hostname))
        {
            fields.Fault("hostname", $"\"{hostname}\" is not a DNS label");
        }

        return new Endpoint
        {
            Address = address,
            Node = fields.NodeName("nodeName"),
            Hostname = hostname is { Length: > 0 } ? hostname : null,
            IsReady = conditions.Flag("ready") ?? true,
            IsServing = conditions.Flag("serving") ?? true,
            IsTerminating = conditions.Flag("terminating") ?? false,
            Zone = fields.Text("zone") is { Length: > 0 } zone ? zone : null,
            ZoneHints = [.. Names(hints, "forZones")],
            NodeHints = [.. NodeHints(hints)],
            PodName = target.Text("kind") == "Pod" ? target.Text("name") : null,
        };
    }

    private static IPAddress? Address(Fields fields, AddressFamily family)
    {
        foreach ((string text, int line) in fields.Texts("addresses"))
        {
            if (!AddressText.TryParse(text, out IPAddress address))
            {
                fields.Mapping.Fault(line, $"endpoints[].addresses: \"{text}\" is not an IP address");
                return null;
            }

            if (address.AddressFamily != family)
            {
                fields.Mapping.Fault(line, $"endpoints[].addresses: \"{text}\" is not of the slice's addressType");
                return null;
            }

            if (AddressText.IsSpecial(address))
            {
                fields.Mapping.Fault(line, $"endpoints[].addresses: \"{text}\" is link-local, multicast or unspecified");
                return null;
            }

            // With a node it would open that node's local services to everybody. Without one it is this node's own: KubeEdge's
            // MetaServer gives default/kubernetes the address 127.0.0.1.
            if (IPAddress.IsLoopback(address) && fields.Map["nodeName"].Kind != DatumKind.Null)
            {
                fields.Mapping.Fault(line, $"endpoints[].addresses: \"{text}\" is a loopback address and the endpoint has a nodeName");
                return null;
            }

            return address;
        }

        if (fields.Map["addresses"] is { Kind: DatumKind.Null or DatumKind.List, Items.Count: 0 })
        {
            fields.Fault("addresses", "must hold an address");
        }

        return null;
    }

    private static IEnumerable<NodeName> NodeHints(Fields hints)
    {
        foreach (Fields hint in hints.Maps("forNodes", "endpoints[].hints.forNodes[]"))
        {
            if (hint.NodeName("name") is NodeName node)
            {
                yield return node;
            }
        }
    }

    private static IEnumerable<string> Names(Fields hints, string name)
    {
        foreach (Fields hint in hints.Maps(name, "endpoints[].hints.forZones[]"))
        {
            if (hint.Text("name") is { Length: > 0 } zone)
            {
                yield return zone;
            }
        }
    }
}
