using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy.Tracing;

/// <summary>
/// A Service on this node, a packet, and where it has to end: what the tracer (unit tests) and the kernel (lab tests) are both
/// asked. The node is edge1 with pods 172.17.0.0/16 on <c>br0</c>, 10.0.0.5 on <c>eth0</c> outside, and the mesh device.
/// </summary>
/// <param name="Name">What the case shows.</param>
/// <param name="From"><c>pod</c>, <c>endpoint</c> (a pod that is one of the Service), <c>host</c>, <c>outside</c>, <c>agent</c> (marked).</param>
/// <param name="To">Address and port; <c>/udp</c> for UDP.</param>
/// <param name="Ends">All ends that the packet may have.</param>
/// <param name="Endpoints">The Service's, as in <see cref="Park.Endpoint"/>.</param>
internal sealed record PacketCase(string Name, string From, string To, string[] Ends, params string[] Endpoints)
{
    public const string ClusterIp = "10.96.0.10";
    public const string Mesh = "169.254.96.16";
    public const string Agent = $"dnat {Mesh}:4000";
    private const string Local = "172.17.0.2@edge1";
    private const string Remote = "172.17.0.2@edge2";
    private const string Service = ClusterIp + ":80";
    private const string NodePort = "10.0.0.5:30080";

    public static readonly IPAddress[] OwnAddresses = [.. new[] { "127.0.0.1", "172.17.0.1", "10.0.0.5", Mesh }.Select(IPAddress.Parse)];

    public static readonly PacketCase[] All =
    [
        new("remote endpoint is the agent's", "pod", Service, [Agent], Remote),
        new("local endpoint is the kernel's", "pod", Service, ["dnat 172.17.0.2:8080"], Local),
        new("two local endpoints", "pod", Service, ["dnat 172.17.0.2:8080", "dnat 172.17.0.3:8080"], Local, "172.17.0.3@edge1"),
        new("local and remote share", "pod", Service, ["dnat 172.17.0.2:8080", Agent], Local, Remote, "172.17.0.3@edge3"),
        new("hairpin is the agent's", "endpoint", Service, [Agent], Local),
        new("no endpoint", "pod", Service, ["tcp reset"]),
        new("a port nobody defined", "pod", ClusterIp + ":81", ["tcp reset"], Local),
        new("a port nobody defined, UDP", "pod", ClusterIp + ":81/udp", ["port unreachable"], Local),
        new("the other protocol", "pod", ClusterIp + ":80/udp", ["port unreachable"], Local),
        new("a host process and a local endpoint", "host", Service, ["dnat 172.17.0.2:8080 masquerade"], Local),
        new("a host process and a remote endpoint", "host", Service, [Agent], Remote),
        new("a host process and no endpoint", "host", Service, ["tcp reset"]),
        new("the agent's own connection", "agent", Service, ["routed as it is"], Local),
        new("an endpoint outside the cluster", "pod", Service, ["dnat 192.0.2.1:8080 masquerade"], "192.0.2.1"),
        new("UDP to a remote endpoint", "pod", ClusterIp + ":53/udp", [$"dnat {Mesh}:4053"], Remote) { IsUdp = true },
        new("UDP to a local endpoint", "pod", ClusterIp + ":53/udp", ["dnat 172.17.0.2:8080"], Local) { IsUdp = true },
        new("affinity is the agent's", "pod", Service, [Agent], Local, Remote) { Change = s => s with { ClientIPAffinity = TimeSpan.FromHours(3) } },
        new("policy Local without local endpoint", "pod", Service, ["drop"], Remote) { Change = s => s with { InternalTrafficPolicy = TrafficPolicy.Local } },
        new("policy Local draws local endpoints only", "pod", Service, ["dnat 172.17.0.2:8080"], Local, Remote)
        {
            Change = s => s with { InternalTrafficPolicy = TrafficPolicy.Local },
        },
        new("40 endpoints", "pod", Service, ["dnat 172.17.0.2:8080", Agent], [Local, .. Enumerable.Range(2, 39).Select(i => $"172.17.0.2@edge{i}")]),
        new("node port from outside", "outside", NodePort, ["dnat 172.17.0.2:8080"], Local) { Change = AtNodePort },
        new("node port from outside, remote endpoint", "outside", NodePort, [Agent], Remote) { Change = AtNodePort },
        new("node port from a pod", "pod", NodePort, ["dnat 172.17.0.2:8080"], Local) { Change = AtNodePort },
        new("node port from the host", "host", NodePort, ["dnat 172.17.0.2:8080"], Local) { Change = AtNodePort },
        new("another port of the node", "outside", "10.0.0.5:22", ["the node itself"], Local) { Change = AtNodePort },
        new("node port without endpoint", "outside", NodePort, ["tcp reset"]) { Change = AtNodePort },
        new("external Local from outside", "outside", NodePort, ["dnat 172.17.0.2:8080"], Local, Remote) { Change = ExternalLocal },
        new("external Local from outside without local", "outside", NodePort, ["drop"], Remote) { Change = ExternalLocal },
        new("external Local from a pod", "pod", NodePort, [Agent], Local, Remote) { Change = ExternalLocal },
        new("external Local with affinity", "outside", NodePort, ["dnat 172.17.0.2:8080", "dnat 172.17.0.3:8080"], Local, "172.17.0.3@edge1")
        {
            Change = s => ExternalLocal(s) with { ClientIPAffinity = TimeSpan.FromHours(3) },
        },
        new("balancer from an allowed network", "outside", "203.0.113.8:80", ["dnat 172.17.0.2:8080"], Local) { Change = s => Balanced(s, "10.0.0.0/24") },
        new("balancer from another network", "outside", "203.0.113.8:80", ["drop"], Local) { Change = s => Balanced(s, "10.9.0.0/24") },
        new("the mesh address from outside", "outside", Mesh + ":4000", ["drop"], Local),
        new("the mesh address from a pod", "pod", Mesh + ":53/udp", ["the node itself"], Local),
        new("what is no Service", "pod", "198.51.100.1:443", ["routed as it is"], Local),
    ];

    public Func<Service, Service>? Change { get; init; }

    public bool IsUdp { get; init; }

    public TracedPacket Packet
    {
        get
        {
            string[] to = To.Split('/');
            IPEndPoint target = IPEndPoint.Parse(to[0]);
            string source = From switch
            {
                "pod" => "172.17.0.9",
                "endpoint" => "172.17.0.2",
                "outside" => "10.0.0.7",

                // The address of the device that the route leads to.
                _ => target.Address.Equals(OwnAddresses[2]) ? "10.0.0.5" : Mesh,
            };
            return new TracedPacket(
                IPAddress.Parse(source), target, From switch { "host" or "agent" => "", "outside" => "eth0", _ => "br0" },
                to.Length > 1 ? to[1] : "tcp", From == "agent" ? (uint)MeshDefaults.AgentSocketMark : 0);
        }
    }

    /// <summary>The whole table for this Service.</summary>
    public string Rules()
    {
        Service service = Park.Service(ClusterIp, IsUdp
            ? new ServicePort("http", TransportProtocol.Udp, 53) : new ServicePort("http", TransportProtocol.Tcp, 80, 30080));
        Surroundings here = Park.Here("172.17.0.0/16 br0, 0.0.0.0/0 eth0") with { NodePortAddresses = [IPAddress.Parse("10.0.0.5")] };
        EndpointSlice slice = Park.Slice(Endpoints);
        slice = slice with { Ports = [slice.Ports[0] with { Protocol = IsUdp ? TransportProtocol.Udp : TransportProtocol.Tcp }] };
        ServicePlan plan = Park.Plan(Change?.Invoke(service) ?? service, here, slice)!;
        RuleFrame frame = Park.Frame() with { Fronts = [.. plan.Ports.Where(p => p.Front != PortFront.Cluster).Select(p => p.Key.Address.ToString())] };
        return RuleText.Full(frame, ServiceElements.Of(plan, _ => 4053));
    }

    public List<PacketTrace> Trace() => new PacketTracer(Rules(), OwnAddresses, InterfaceTo).Read().Trace(Packet);

    public override string ToString() => Name;

    private static string InterfaceTo(IPAddress address) => address.ToString() switch
    {
        string pod when pod.StartsWith("172.17.", StringComparison.Ordinal) => "br0",
        ClusterIp => "edgemesh0",
        _ => "eth0",
    };

    private static Service AtNodePort(Service service) => service with { Type = ServiceType.NodePort };

    private static Service ExternalLocal(Service service) => AtNodePort(service) with { ExternalTrafficPolicy = TrafficPolicy.Local };

    private static Service Balanced(Service service, string source) => service with
    {
        Type = ServiceType.LoadBalancer,
        LoadBalancerIngress = [IPAddress.Parse("203.0.113.8")],
        LoadBalancerSourceRanges = [IPNetwork.Parse(source)],
    };
}
