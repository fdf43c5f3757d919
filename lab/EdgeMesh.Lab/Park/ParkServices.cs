namespace EdgeMesh.Lab;

/// <summary>A Service of the park and where its pods are.</summary>
public sealed record ParkService(string Name, string ClusterIP, params (string Node, string PodAddress)[] Pods);

/// <summary>The Services of the announcement's three scenarios, with the ports every pod of the park serves.</summary>
public static class ParkServices
{
    public const int HttpPort = 80;
    public const int TcpEchoPort = 7001;
    public const int UdpEchoPort = 7002;
    public const int IperfPort = 5201;

    public static readonly ParkService Video = new("video", "10.96.0.11", ("edge1", "172.17.0.2"));
    public static readonly ParkService Parking = new("parking", "10.96.0.12", ("edge1", "172.17.0.3"));
    public static readonly ParkService Face = new("face", "10.96.0.13", ("cloud", "172.17.0.2"));
    public static readonly ParkService Display = new("display", "10.96.0.14", ("edge3", "172.17.0.2"));

    /// <summary>One pod on each of three nodes, the same address three times.</summary>
    public static readonly ParkService Everywhere = new(
        "everywhere", "10.96.0.15", ("edge1", "172.17.0.2"), ("edge2", "172.17.0.2"), ("edge3", "172.17.0.2"));

    public static IReadOnlyList<ParkService> All => [Video, Parking, Face, Display, Everywhere];

    /// <summary>Standard Kubernetes YAML: a Service and its EndpointSlice.</summary>
    public static string Yaml(ParkService service)
    {
        string endpoints = string.Concat(service.Pods.Select(pod => $"""
              - addresses: ["{pod.PodAddress}"]
                conditions: {"{"} ready: true {"}"}
                nodeName: {pod.Node}

            """));
        return $"""
            apiVersion: v1
            kind: Service
            metadata:
              name: {service.Name}
              namespace: default
            spec:
              clusterIP: {service.ClusterIP}
              clusterIPs: ["{service.ClusterIP}"]
              ports:
              - name: http
                port: 80
                targetPort: {HttpPort}
              - name: echo
                port: {TcpEchoPort}
              - name: udp-echo
                protocol: UDP
                port: {UdpEchoPort}
              - name: iperf
                port: {IperfPort}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: {service.Name}-1
              namespace: default
              labels:
                kubernetes.io/service-name: {service.Name}
            addressType: IPv4
            ports:
            - name: http
              port: {HttpPort}
            - name: echo
              port: {TcpEchoPort}
            - name: udp-echo
              protocol: UDP
              port: {UdpEchoPort}
            - name: iperf
              port: {IperfPort}
            endpoints:
            {endpoints}
            """;
    }

    public static string Yaml(Node node) => $"""
        apiVersion: v1
        kind: Node
        metadata:
          name: {node.Name}
        status:
          addresses:
          - type: InternalIP
            address: {node.Address}
          - type: Hostname
            address: {node.Name}

        """;

    /// <summary>The same as the API has it, ready to be posted to <see cref="FakeApi"/>.</summary>
    public static IEnumerable<string> Json(ParkService service)
    {
        yield return $$"""
            {"kind":"Service","apiVersion":"v1","metadata":{"name":"{{service.Name}}","namespace":"default"},
             "spec":{"type":"ClusterIP","clusterIP":"{{service.ClusterIP}}","clusterIPs":["{{service.ClusterIP}}"],"ports":[
               {"name":"http","protocol":"TCP","port":80,"targetPort":{{HttpPort}}},{"name":"echo","protocol":"TCP","port":{{TcpEchoPort}}},
               {"name":"udp-echo","protocol":"UDP","port":{{UdpEchoPort}}},{"name":"iperf","protocol":"TCP","port":{{IperfPort}}}]} }
            """;
        string endpoints = string.Join(',', service.Pods.Select(pod =>
            $$"""{"addresses":["{{pod.PodAddress}}"],"conditions":{"ready":true},"nodeName":"{{pod.Node}}"}"""));
        yield return $$"""
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"{{service.Name}}-1","namespace":"default",
             "labels":{"kubernetes.io/service-name":"{{service.Name}}"} },"addressType":"IPv4","endpoints":[{{endpoints}}],"ports":[
               {"name":"http","protocol":"TCP","port":{{HttpPort}}},{"name":"echo","protocol":"TCP","port":{{TcpEchoPort}}},
               {"name":"udp-echo","protocol":"UDP","port":{{UdpEchoPort}}},{"name":"iperf","protocol":"TCP","port":{{IperfPort}}}]}
            """;
    }

    public static string Json(Node node) => $$"""
        {"kind":"Node","apiVersion":"v1","metadata":{"name":"{{node.Name}}"},"status":{"addresses":[{"type":"InternalIP","address":"{{node.Address}}"}]} }
        """;
}
