using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>A <c>core/v1</c> Service: the API's defaults and the rules of its validation that the mesh depends on.</summary>
internal static class ServiceMapper
{
    private const int DefaultAffinitySeconds = 10800;
    private const int MaxAffinitySeconds = 86400;

    public static Service Map(Fields root)
    {
        Fields metadata = root.Inner("metadata", "metadata");
        Fields labels = metadata.Inner("labels", "metadata.labels");
        Fields spec = root.Inner("spec", "spec");
        Mapping mapping = root.Mapping;

        ServiceType type = spec.Word("type",
        [
            ("ClusterIP", ServiceType.ClusterIP), ("NodePort", ServiceType.NodePort),
            ("LoadBalancer", ServiceType.LoadBalancer), ("ExternalName", ServiceType.ExternalName),
        ]) ?? ServiceType.ClusterIP;
        ImmutableArray<IPAddress> clusterIPs = ClusterIPs(spec, out bool isHeadless);
        if (type == ServiceType.ExternalName)
        {
            (clusterIPs, isHeadless) = ([], false);
        }
        else if (isHeadless && type != ServiceType.ClusterIP)
        {
            spec.Fault("clusterIP", $"cannot be None with type {type}");
        }

        return new Service
        {
            Name = new ServiceName(mapping.Subject.Namespace, mapping.Subject.Name),
            Uid = metadata.Text("uid") ?? "",
            Type = type,
            ClusterIPs = clusterIPs,
            IsHeadless = isHeadless,
            Ports = Ports(spec, mayBeEmpty: isHeadless || type == ServiceType.ExternalName),
            ExternalName = type == ServiceType.ExternalName ? ExternalName(spec) : null,
            PublishNotReadyAddresses = spec.Flag("publishNotReadyAddresses") ?? false,
            ClientIPAffinity = Affinity(spec),
            InternalTrafficPolicy = Policy(spec, "internalTrafficPolicy"),
            ExternalTrafficPolicy = Policy(spec, "externalTrafficPolicy"),
            TrafficDistribution = Distribution(spec),
            ExternalIPs = [.. spec.Addresses("externalIPs")],
            LoadBalancerIngress = type == ServiceType.LoadBalancer ? Ingress(root) : [],
            LoadBalancerSourceRanges = [.. spec.Networks("loadBalancerSourceRanges")],
            HealthCheckNodePort = (ushort)(spec.Number("healthCheckNodePort", 0, 65535) ?? 0),
            ServiceProxyName = labels.Map.Has("service.kubernetes.io/service-proxy-name")
                ? labels.Text("service.kubernetes.io/service-proxy-name") ?? ""
                : null,
            HasHeadlessLabel = labels.Map.Has("service.kubernetes.io/headless"),
            HasEdgeMeshFilterLabel = labels.Map.Has("service.edgemesh.kubeedge.io/service-proxy-name"),
        };
    }

    // clusterIP is the older field; where both stand, it is the first of clusterIPs.
    private static ImmutableArray<IPAddress> ClusterIPs(Fields spec, out bool isHeadless)
    {
        isHeadless = false;
        string first = spec.Text("clusterIP") ?? "";
        List<(string Text, int Line)> all = [.. spec.Texts("clusterIPs")];
        if (all.Count == 0 && first.Length > 0)
        {
            all.Add((first, spec.Map["clusterIP"].Line));
        }
        else if (first.Length > 0 && all[0].Text != first)
        {
            spec.Fault("clusterIP", $"is \"{first}\" but spec.clusterIPs begins with \"{all[0].Text}\"");
        }

        if (all.Exists(static ip => ip.Text == "None"))
        {
            if (all.Count > 1)
            {
                spec.Fault("clusterIPs", "may hold None only alone");
            }

            isHeadless = true;
            return [];
        }

        ImmutableArray<IPAddress>.Builder addresses = ImmutableArray.CreateBuilder<IPAddress>(all.Count);
        foreach ((string text, int line) in all)
        {
            if (!AddressText.TryParse(text, out IPAddress address))
            {
                spec.Mapping.Fault(line, $"spec.clusterIP: \"{text}\" is neither an IP address nor None");
            }
            else if (addresses.Any(other => other.AddressFamily == address.AddressFamily))
            {
                spec.Mapping.Fault(line, $"spec.clusterIPs: \"{text}\" is the second address of its family");
            }
            else
            {
                addresses.Add(address);
            }
        }

        return addresses.DrainToImmutable();
    }

    private static ImmutableArray<ServicePort> Ports(Fields spec, bool mayBeEmpty)
    {
        ImmutableArray<ServicePort>.Builder ports = ImmutableArray.CreateBuilder<ServicePort>();
        IReadOnlyList<Datum> items = spec.Items("ports");
        if (items.Count == 0 && !mayBeEmpty && spec.Map["ports"].Kind is (DatumKind.Null or DatumKind.List))
        {
            spec.Fault("ports", "must name at least one port");
        }

        foreach (Fields fields in spec.Maps("ports", "spec.ports[]"))
        {
            string name = fields.Text("name") ?? "";
            if (name.Length == 0 && items.Count > 1)
            {
                fields.Fault("name", "is needed where there are several ports");
            }
            else if (name.Length > 0 && !DnsName.IsLabel(name))
            {
                fields.Fault("name", $"must be lower-case letters, digits and '-', not \"{name}\"");
            }

            TransportProtocol protocol = fields.Protocol();
            if (fields.Map["port"].Kind == DatumKind.Null)
            {
                fields.Fault("port", "is missing");
                continue;
            }

            if (fields.Number("port", 1, 65535) is not int port)
            {
                continue;
            }

            int nodePort = fields.Number("nodePort", 0, 65535) ?? 0;
            if (name.Length > 0 && ports.Any(other => other.Name == name))
            {
                fields.Fault("name", $"\"{name}\" stands twice");
            }
            else if (ports.Any(other => other.Port == port && other.Protocol == protocol))
            {
                fields.Fault("port", $"{port} stands twice with the same protocol");
            }
            else
            {
                ports.Add(new ServicePort(name, protocol, (ushort)port, (ushort)nodePort));
            }
        }

        return ports.DrainToImmutable();
    }

    private static string? ExternalName(Fields spec)
    {
        string name = spec.Text("externalName") ?? "";
        string plain = name.EndsWith('.') ? name[..^1] : name;
        if (!DnsName.IsSubdomain(plain))
        {
            spec.Fault("externalName", name.Length == 0 ? "is needed with type ExternalName" : $"\"{name}\" is not a DNS name");
        }

        return plain;
    }

    private static TimeSpan? Affinity(Fields spec)
    {
        bool byClient = spec.Word("sessionAffinity", [("None", false), ("ClientIP", true)]) ?? false;
        int? seconds = spec.Inner("sessionAffinityConfig", "spec.sessionAffinityConfig")
            .Inner("clientIP", "spec.sessionAffinityConfig.clientIP")
            .Number("timeoutSeconds", 1, MaxAffinitySeconds);
        return byClient ? TimeSpan.FromSeconds(seconds ?? DefaultAffinitySeconds) : null;
    }

    private static TrafficPolicy Policy(Fields spec, string name) =>
        spec.Word(name, [("Cluster", TrafficPolicy.Cluster), ("Local", TrafficPolicy.Local)]) ?? TrafficPolicy.Cluster;

    // A preference: one that a newer cluster knows and this program does not is no reason to lose the Service.
    private static TrafficDistribution Distribution(Fields spec)
    {
        switch (spec.Text("trafficDistribution"))
        {
            case null or "":
                return TrafficDistribution.None;
            case "PreferSameZone" or "PreferClose":
                return TrafficDistribution.PreferSameZone;
            case "PreferSameNode":
                return TrafficDistribution.PreferSameNode;
            case string other:
                spec.Warn("trafficDistribution", $"\"{other}\" is unknown (PreferSameZone, PreferSameNode): no preference is used");
                return TrafficDistribution.None;
        }
    }

    // An address with ipMode Proxy is terminated by the load balancer itself and must not be short-cut (KEP-1860).
    private static ImmutableArray<IPAddress> Ingress(Fields root)
    {
        ImmutableArray<IPAddress>.Builder addresses = ImmutableArray.CreateBuilder<IPAddress>();
        Fields balancer = root.Inner("status", "status").Inner("loadBalancer", "status.loadBalancer");
        foreach (Fields ingress in balancer.Maps("ingress", "status.loadBalancer.ingress[]"))
        {
            if (ingress.Text("ip") is not { Length: > 0 } text || ingress.Text("ipMode") == "Proxy")
            {
                continue;
            }

            if (AddressText.TryParse(text, out IPAddress address))
            {
                addresses.Add(address);
            }
            else
            {
                ingress.Fault("ip", $"\"{text}\" is not an IP address");
            }
        }

        return addresses.DrainToImmutable();
    }
}
