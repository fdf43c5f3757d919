using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// Model objects as Kubernetes JSON, the inverse of <see cref="ObjectMapper"/>: what it writes, the mapper reads back to an equal
/// object. Fields that have their default are left out.
/// </summary>
internal static class ObjectWriter
{
    public static void Write(Utf8JsonWriter json, Service service)
    {
        Begin(json, "v1", "Service", service.Name.Namespace, service.Name.Name);
        if (service.Uid.Length > 0)
        {
            json.WriteString("uid"u8, service.Uid);
        }

        json.WriteStartObject("labels"u8);
        if (service.ServiceProxyName is not null)
        {
            json.WriteString("service.kubernetes.io/service-proxy-name"u8, service.ServiceProxyName);
        }

        Label(json, "service.kubernetes.io/headless", service.HasHeadlessLabel);
        Label(json, "service.edgemesh.kubeedge.io/service-proxy-name", service.HasEdgeMeshFilterLabel);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("spec"u8);
        Spec(json, service);
        json.WriteEndObject();
        if (!service.LoadBalancerIngress.IsEmpty)
        {
            json.WriteStartObject("status"u8);
            json.WriteStartObject("loadBalancer"u8);
            Named(json, "ingress", "ip", service.LoadBalancerIngress);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, EndpointSlice slice)
    {
        Begin(json, "discovery.k8s.io/v1", "EndpointSlice", slice.Service.Namespace, slice.Key[(slice.Service.Namespace.Length + 1)..]);
        json.WriteStartObject("labels"u8);
        json.WriteString("kubernetes.io/service-name"u8, slice.Service.Name);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteString("addressType"u8, slice.Family == AddressFamily.InterNetworkV6 ? "IPv6"u8 : "IPv4"u8);
        json.WriteStartArray("ports"u8);
        foreach (EndpointPort port in slice.Ports)
        {
            json.WriteStartObject();
            Port(json, port.Name, port.Protocol, port.Port);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("endpoints"u8);
        foreach (Endpoint endpoint in slice.Endpoints)
        {
            Write(json, endpoint);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, BalancingRule rule)
    {
        int slash = rule.Key.IndexOf('/', StringComparison.Ordinal);
        Begin(json, "networking.istio.io/v1", "DestinationRule", rule.Key[..slash], rule.Key[(slash + 1)..]);
        json.WriteEndObject();
        json.WriteStartObject("spec"u8);
        json.WriteString("host"u8, $"{rule.Service.Name}.{rule.Service.Namespace}");
        json.WriteStartObject("trafficPolicy"u8);
        json.WriteStartObject("loadBalancer"u8);
        if (rule.Policy == BalancingPolicy.ClientHash)
        {
            json.WriteStartObject("consistentHash"u8);
            json.WriteBoolean("useSourceIp"u8, true);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("simple"u8, rule.Policy == BalancingPolicy.LeastLoaded ? "LEAST_REQUEST"u8 : "ROUND_ROBIN"u8);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, Node node)
    {
        Begin(json, "v1", "Node", "", node.Name.Value);
        json.WriteStartObject("labels"u8);
        Optional(json, "topology.kubernetes.io/zone", node.Zone);
        Label(json, "node-role.kubernetes.io/edge", node.IsEdge);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("spec"u8);
        Texts(json, "podCIDRs", node.PodCidrs);
        json.WriteEndObject();
        json.WriteStartObject("status"u8);
        json.WriteStartArray("addresses"u8);
        foreach (System.Net.IPAddress address in node.Addresses)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "InternalIP"u8);
            Value(json, "address", address);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Spec(Utf8JsonWriter json, Service service)
    {
        json.WriteString("type"u8, service.Type.ToString());
        if (service.IsHeadless)
        {
            json.WriteString("clusterIP"u8, "None"u8);
        }

        Texts(json, "clusterIPs", service.ClusterIPs);
        json.WriteStartArray("ports"u8);
        foreach (ServicePort port in service.Ports)
        {
            json.WriteStartObject();
            Port(json, port.Name, port.Protocol, port.Port);
            if (port.NodePort != 0)
            {
                json.WriteNumber("nodePort"u8, port.NodePort);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        Optional(json, "externalName", service.ExternalName);
        if (service.PublishNotReadyAddresses)
        {
            json.WriteBoolean("publishNotReadyAddresses"u8, true);
        }

        if (service.ClientIPAffinity is TimeSpan affinity)
        {
            json.WriteString("sessionAffinity"u8, "ClientIP"u8);
            json.WriteStartObject("sessionAffinityConfig"u8);
            json.WriteStartObject("clientIP"u8);
            json.WriteNumber("timeoutSeconds"u8, (int)affinity.TotalSeconds);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteString("internalTrafficPolicy"u8, service.InternalTrafficPolicy.ToString());
        json.WriteString("externalTrafficPolicy"u8, service.ExternalTrafficPolicy.ToString());
        if (service.TrafficDistribution != TrafficDistribution.None)
        {
            json.WriteString("trafficDistribution"u8, service.TrafficDistribution.ToString());
        }

        Texts(json, "externalIPs", service.ExternalIPs);
        Texts(json, "loadBalancerSourceRanges", service.LoadBalancerSourceRanges);
        if (service.HealthCheckNodePort != 0)
        {
            json.WriteNumber("healthCheckNodePort"u8, service.HealthCheckNodePort);
        }
    }

    private static void Write(Utf8JsonWriter json, Endpoint endpoint)
    {
        json.WriteStartObject();
        json.WriteStartArray("addresses"u8);
        Span<char> text = stackalloc char[64];
        endpoint.Address.TryFormat(text, out int length);
        json.WriteStringValue(text[..length]);
        json.WriteEndArray();
        json.WriteStartObject("conditions"u8);
        json.WriteBoolean("ready"u8, endpoint.IsReady);
        json.WriteBoolean("serving"u8, endpoint.IsServing);
        json.WriteBoolean("terminating"u8, endpoint.IsTerminating);
        json.WriteEndObject();
        Optional(json, "hostname", endpoint.Hostname);
        Optional(json, "nodeName", endpoint.Node?.Value);
        Optional(json, "zone", endpoint.Zone);
        if (endpoint.PodName is not null)
        {
            json.WriteStartObject("targetRef"u8);
            json.WriteString("kind"u8, "Pod"u8);
            json.WriteString("name"u8, endpoint.PodName);
            json.WriteEndObject();
        }

        if (!endpoint.ZoneHints.IsEmpty || !endpoint.NodeHints.IsEmpty)
        {
            json.WriteStartObject("hints"u8);
            Named(json, "forZones", "name", endpoint.ZoneHints);
            Named(json, "forNodes", "name", endpoint.NodeHints);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    // Opens the object and its metadata; labels follow, then the caller closes metadata.
    private static void Begin(Utf8JsonWriter json, string apiVersion, string kind, string space, string name)
    {
        json.WriteStartObject();
        json.WriteString("apiVersion"u8, apiVersion);
        json.WriteString("kind"u8, kind);
        json.WriteStartObject("metadata"u8);
        json.WriteString("name"u8, name);
        if (space.Length > 0)
        {
            json.WriteString("namespace"u8, space);
        }
    }

    private static void Port(Utf8JsonWriter json, string name, TransportProtocol protocol, ushort? port)
    {
        json.WriteString("name"u8, name);
        json.WriteString("protocol"u8, protocol switch
        {
            TransportProtocol.Udp => "UDP"u8,
            TransportProtocol.Sctp => "SCTP"u8,
            _ => "TCP"u8,
        });
        if (port is ushort number)
        {
            json.WriteNumber("port"u8, number);
        }
    }

    private static void Label(Utf8JsonWriter json, string name, bool isPresent)
    {
        if (isPresent)
        {
            json.WriteString(name, "");
        }
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Value<T>(Utf8JsonWriter json, string name, T value)
        where T : ISpanFormattable
    {
        Span<char> text = stackalloc char[64];
        value.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }

    private static void Texts<T>(Utf8JsonWriter json, string name, ImmutableArray<T> values)
        where T : ISpanFormattable
    {
        if (values.IsEmpty)
        {
            return;
        }

        Span<char> text = stackalloc char[64];
        json.WriteStartArray(name);
        foreach (T value in values)
        {
            value.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
            json.WriteStringValue(text[..length]);
        }

        json.WriteEndArray();
    }

    private static void Named<T>(Utf8JsonWriter json, string list, string field, ImmutableArray<T> values)
        where T : notnull
    {
        json.WriteStartArray(list);
        foreach (T value in values)
        {
            json.WriteStartObject();
            json.WriteString(field, value.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
