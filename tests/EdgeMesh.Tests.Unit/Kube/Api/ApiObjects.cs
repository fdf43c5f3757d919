using System.Text.Json.Nodes;

namespace EdgeMesh.Tests.Unit.Kube.Api;

/// <summary>Objects as the API has them, with what the mesh skips.</summary>
internal static class ApiObjects
{
    public static JsonObject Service(string name, string clusterIP, int port = 80) => JsonNode.Parse($$$"""
        {"kind":"Service","apiVersion":"v1","metadata":{"name":"{{{name}}}","namespace":"default","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"long\":true}\n"},
         "managedFields":[{"manager":"kubectl","operation":"Update","fieldsV1":{"f:spec":{} } }]},
         "spec":{"clusterIP":"{{{clusterIP}}}","clusterIPs":["{{{clusterIP}}}"],"ports":[{"name":"http","protocol":"TCP","port":{{{port}}},"targetPort":8080}],"type":"ClusterIP"},"status":{"loadBalancer":{} } }
        """)!.AsObject();

    public static JsonObject Slice(string name, string service, params string[] addresses) => JsonNode.Parse($$$"""
        {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"{{{name}}}","namespace":"default","labels":{"kubernetes.io/service-name":"{{{service}}}"}},
         "addressType":"IPv4","endpoints":[{{{string.Join(',', addresses.Select(a => $$"""{"addresses":["{{a}}"],"conditions":{"ready":true},"nodeName":"edge1"}"""))}}}],
         "ports":[{"name":"http","protocol":"TCP","port":8080}]}
        """)!.AsObject();

    public static JsonObject Node(string name, string address) => JsonNode.Parse($$$"""
        {"kind":"Node","apiVersion":"v1","metadata":{"name":"{{{name}}}"},"spec":{"podCIDR":"10.244.0.0/24","podCIDRs":["10.244.0.0/24"]},
         "status":{"addresses":[{"type":"InternalIP","address":"{{{address}}}"}]}}
        """)!.AsObject();

    /// <param name="name">Of the rule.</param>
    /// <param name="host">The Service.</param>
    /// <param name="balancer">JSON of <c>loadBalancer</c>.</param>
    public static JsonObject Rule(string name, string host, string balancer) => JsonNode.Parse($$$"""
        {"kind":"DestinationRule","apiVersion":"networking.istio.io/v1","metadata":{"name":"{{{name}}}","namespace":"default"},
         "spec":{"host":"{{{host}}}","trafficPolicy":{"loadBalancer":{{{balancer}}},"connectionPool":{"tcp":{"maxConnections":100} } } } }
        """)!.AsObject();

    public static JsonObject Endpoints(string name, string ready, string notReady) => JsonNode.Parse($$$"""
        {"kind":"Endpoints","apiVersion":"v1","metadata":{"name":"{{{name}}}","namespace":"default"},
         "subsets":[{"addresses":[{"ip":"{{{ready}}}","nodeName":"edge1"}],"notReadyAddresses":[{"ip":"{{{notReady}}}","nodeName":"edge1"}],"ports":[{"name":"http","port":8080,"protocol":"TCP"}]}]}
        """)!.AsObject();
}
