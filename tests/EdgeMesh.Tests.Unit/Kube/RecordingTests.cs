using System.Runtime.CompilerServices;
using System.Text;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

/// <summary>The mapper on what a real API server and KubeEdge's MetaServer answered.</summary>
public class RecordingTests
{
    [Theory]
    [InlineData("list-services")]
    [InlineData("metaserver-list-services")]
    public void ReadsTheServicesOfARealServer(string recording)
    {
        Dictionary<string, Service> services = Read(recording).Select(o => (Service)o.Value).ToDictionary(s => s.Name.ToString());
        Assert.Equal(
            ["default/kubernetes", "edgezone/ext", "edgezone/face", "edgezone/park", "edgezone/video"],
            services.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("10.96.0.1", Assert.Single(services["default/kubernetes"].ClusterIPs).ToString());
        Assert.Equal("camera.example.com", services["edgezone/ext"].ExternalName);
        Assert.Equal(
            (ServiceType.NodePort, TrafficPolicy.Local, TrafficPolicy.Local),
            (services["edgezone/face"].Type, services["edgezone/face"].InternalTrafficPolicy, services["edgezone/face"].ExternalTrafficPolicy));
        Assert.InRange(services["edgezone/face"].Ports[0].NodePort, 30000, 32767);
        Assert.True(services["edgezone/park"].IsHeadless);
        Assert.Equal(TimeSpan.FromSeconds(10800), services["edgezone/video"].ClientIPAffinity);
        Assert.Equal(
            [new ServicePort("http", TransportProtocol.Tcp, 80), new ServicePort("rtp", TransportProtocol.Udp, 5004)],
            services["edgezone/video"].Ports.AsEnumerable());
        Assert.All(services.Values, service => Assert.Equal(36, service.Uid.Length));
    }

    [Theory]
    [InlineData("list-endpointslices")]
    [InlineData("metaserver-list-endpointslices")]
    public void ReadsTheSlicesOfARealServer(string recording)
    {
        List<EndpointSlice> slices = [.. Read(recording).Select(o => (EndpointSlice)o.Value)];
        EndpointSlice video = slices.Single(slice => slice.Service == KubeText.Name("video"));
        Assert.Equal(["172.17.0.2", "172.17.0.3"], video.Endpoints.Select(endpoint => endpoint.Address.ToString()));
        Assert.All(video.Endpoints, endpoint => Assert.Equal(NodeName.Parse("edge-1"), endpoint.Node));
        Assert.Equal(["park-a"], video.Endpoints[0].ZoneHints.AsEnumerable());
        Assert.Equal("video-7d", video.Endpoints[0].PodName);
        Assert.Equal((false, true, true), (video.Endpoints[1].IsReady, video.Endpoints[1].IsServing, video.Endpoints[1].IsTerminating));
        Assert.Equal("park-0", slices.Single(slice => slice.Service == KubeText.Name("park")).Endpoints[0].Hostname);
    }

    [Theory]
    [InlineData("list-nodes", "192.168.1.11", false)]
    [InlineData("metaserver-list-nodes", "", true)]
    public void ReadsTheNodesOfARealServer(string recording, string addresses, bool isEdge)
    {
        Node edge = (Node)Read(recording).Single(o => o.Key.Name == "edge-1").Value;
        Assert.Equal((addresses, "park-a", isEdge), (string.Join(',', edge.Addresses), edge.Zone, edge.IsEdge));
    }

    [Fact]
    public void KeepsTheLoopbackEndpointThatMetaServerGivesTheApi()
    {
        EndpointSlice api = (EndpointSlice)Read("metaserver-list-endpointslices").Single(o => o.Key.Namespace == "default").Value;
        Endpoint endpoint = Assert.Single(api.Endpoints);
        Assert.Equal("127.0.0.1", endpoint.Address.ToString());
        Assert.Null(endpoint.Node);
    }

    private static List<MappedObject> Read(string recording, [CallerFilePath] string here = "")
    {
        string text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "recordings", recording + ".http")).ReplaceLineEndings("\n");
        string body = text[text.IndexOf("\n{", StringComparison.Ordinal)..];
        List<MappedObject> objects = [];
        List<Fault> faults = [];
        StringPool pool = new();
        new ObjectMapper(pool).Map(JsonReader.Read(Encoding.UTF8.GetBytes(body), pool, countLines: false), objects, faults);
        Assert.Empty(faults);
        return objects;
    }
}
