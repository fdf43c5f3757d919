using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy;

/// <summary>
/// Objects in short text. An endpoint is <c>address[@node][ flag]...</c> with flags <c>unready</c>, <c>unserving</c>,
/// <c>terminating</c>, <c>zones=a+b</c> and <c>nodes=a+b</c> (hints).
/// </summary>
internal static class Park
{
    public static readonly NodeName Edge1 = NodeName.Parse("edge1");

    public static readonly ServiceName Web = new("default", "web");

    public static Service Service(string clusterIp = "10.96.0.10", params ServicePort[] ports) => new()
    {
        Name = Web,
        ClusterIPs = [IPAddress.Parse(clusterIp)],
        Ports = ports.Length > 0 ? [.. ports] : [new ServicePort("http", TransportProtocol.Tcp, 80)],
    };

    public static EndpointSlice Slice(params string[] endpoints) => Slice("s1", 8080, endpoints);

    public static EndpointSlice Slice(string key, ushort port, params string[] endpoints) => new()
    {
        Key = $"default/{key}",
        Service = Web,
        Ports = [new EndpointPort("http", TransportProtocol.Tcp, port)],
        Endpoints = [.. endpoints.Select(Endpoint)],
    };

    public static Endpoint Endpoint(string text)
    {
        string[] words = text.Split(' ');
        string[] place = words[0].Split('@');
        string? Value(string name) => words.FirstOrDefault(w => w.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        return new Endpoint
        {
            Address = IPAddress.Parse(place[0]),
            Node = place.Length > 1 ? NodeName.Parse(place[1]) : null,
            IsReady = !words.Contains("unready") && !words.Contains("terminating"),
            IsServing = !words.Contains("unserving"),
            IsTerminating = words.Contains("terminating"),
            ZoneHints = [.. Value("zones")?.Split('+') ?? []],
            NodeHints = [.. (Value("nodes")?.Split('+') ?? []).Select(NodeName.Parse)],
        };
    }

    public static Surroundings Here(string routes = "", params Node[] nodes) => new(
        Edge1, ServiceFilterMode.FilterIfLabelExists, [], nodes.ToImmutableDictionary(n => n.Name), Routes(routes));

    /// <summary>Lines <c>network device</c>; a device named br... is a pod bridge.</summary>
    public static RouteTable Routes(string text) => new(text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(l => l.Split(' '))
        .Select(f => new Route(IPNetwork.Parse(f[0]), f[1], 0, f[1].StartsWith("br", StringComparison.Ordinal), IsReject: false)));

    public static ServicePlan? Plan(Service service, Surroundings here, params EndpointSlice[] slices) =>
        ServicePlanner.Plan(new ServiceState(service.Name, service, [.. slices]), AddressFamily.InterNetwork, here);

    public static PortPlan Port(params string[] endpoints) => Plan(Service(), Here("0.0.0.0/0 eth0"), Slice(endpoints))!.Ports[0];

    public static RuleFrame Frame(string outside = "eth0", string bridges = "") => new(
        RuleFamily.V4, MeshDefaults.MeshAddress, "edgemesh0", 4000, 4001,
        [.. outside.Split(' ', StringSplitOptions.RemoveEmptyEntries)], [.. bridges.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
}
