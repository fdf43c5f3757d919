using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class EndpointChooserTests
{
    private const string A = "172.17.0.2@edge1";
    private const string B = "172.17.0.2@edge2";
    private const string C = "172.17.0.3@edge3";

    [Theory]

    // Conditions.
    [InlineData("", $"{A}|{B}", "Serve edge1 edge2")]
    [InlineData("", $"{A} unready|{B}", "Serve edge2")]
    [InlineData("", $"{A} terminating|{B}", "Serve edge2")]
    [InlineData("", $"{A} terminating|{B} terminating unserving", "Serve edge1")]
    [InlineData("", $"{A} unready|{B} unready", "Reject")]
    [InlineData("", "", "Reject")]
    [InlineData("publish", $"{A} unready|{B}", "Serve edge1 edge2")]
    [InlineData("publish", $"{A} terminating unready|{B}", "Serve edge2")]

    // internalTrafficPolicy: Local.
    [InlineData("local", $"{A}|{B}", "Serve edge1")]
    [InlineData("local", $"{A} terminating|{B}", "Serve edge1")]
    [InlineData("local", $"{B}|{C}", "Drop")]
    [InlineData("local", $"{B} terminating", "Drop")]
    [InlineData("local", $"{A} unready", "Reject")]
    [InlineData("local", $"{A} zones=b|{B} zones=a", "Serve edge1")]

    // Zone hints: all or nothing.
    [InlineData("", $"{A} zones=b|{B} zones=a|{C} zones=a+b", "Serve edge2 edge3")]
    [InlineData("", $"{A} zones=b|{B}|{C} zones=a", "Serve edge1 edge2 edge3")]
    [InlineData("", $"{A} zones=b|{B} zones=c", "Serve edge1 edge2")]
    [InlineData("", $"{A} zones=a|{B} zones=b|{C} unready", "Serve edge1")]
    [InlineData("nozone", $"{A} zones=a|{B} zones=b", "Serve edge1 edge2")]

    // Node hints come before zone hints.
    [InlineData("", $"{A} nodes=edge1 zones=b|{B} nodes=edge2 zones=a", "Serve edge1")]
    [InlineData("", $"{A} nodes=edge2 zones=b|{B} nodes=edge2 zones=a", "Serve edge2")]
    [InlineData("", $"{A} nodes=edge1|{B}", "Serve edge1 edge2")]

    // Terminating endpoints are used whatever their hints say.
    [InlineData("", $"{A} terminating zones=b|{B} terminating zones=c", "Serve edge1 edge2")]
    public void ChoosesAsKubeProxy(string how, string endpoints, string expected)
    {
        Service service = Park.Service() with
        {
            PublishNotReadyAddresses = how == "publish",
            InternalTrafficPolicy = how == "local" ? TrafficPolicy.Local : TrafficPolicy.Cluster,
        };
        EndpointSlice slice = Park.Slice(endpoints.Split('|', StringSplitOptions.RemoveEmptyEntries));

        ChosenEndpoints chosen = EndpointChooser.Choose(
            service, service.Ports[0], [slice], AddressFamily.InterNetwork, Park.Edge1, how == "nozone" ? null : "a", service.InternalTrafficPolicy);

        Assert.Equal(expected, string.Join(' ', new[] { $"{chosen.Action}" }.Concat(chosen.Endpoints.Select(e => $"{e.Endpoint.Node}"))));
    }

    [Fact]
    public void EndpointInTwoSlicesIsOneAndTheOneThatStaysWins()
    {
        ChosenEndpoints chosen = Choose(Park.Slice("s1", 8080, $"{A} terminating", B), Park.Slice("s2", 8080, A));

        Assert.Equal(["172.17.0.2:8080", "172.17.0.2:8080"], chosen.Endpoints.Select(e => e.Address.ToString()));
        Assert.All(chosen.Endpoints, e => Assert.False(e.Endpoint.IsTerminating));
    }

    [Fact]
    public void SlicesMayMeanDifferentPortsByOneName()
    {
        ChosenEndpoints chosen = Choose(Park.Slice("s1", 8080, A), Park.Slice("s2", 9090, B));

        Assert.Equal(["172.17.0.2:8080", "172.17.0.2:9090"], chosen.Endpoints.Select(e => e.Address.ToString()));
    }

    [Fact]
    public void PortMatchesByNameAndProtocol()
    {
        EndpointSlice otherName = Park.Slice("s1", 8080, A) with { Ports = [new EndpointPort("admin", TransportProtocol.Tcp, 8080)] };
        EndpointSlice otherProtocol = Park.Slice("s2", 8080, A) with { Ports = [new EndpointPort("http", TransportProtocol.Udp, 8080)] };
        EndpointSlice noPort = Park.Slice("s3", 8080, A) with { Ports = [new EndpointPort("http", TransportProtocol.Tcp, null)] };

        Assert.Equal(PortAction.Reject, Choose(otherName, otherProtocol, noPort).Action);
    }

    [Fact]
    public void OtherFamilyIsNotSeen()
    {
        EndpointSlice v6 = Park.Slice("s1", 8080, A) with { Family = AddressFamily.InterNetworkV6 };

        Assert.Equal(PortAction.Reject, Choose(v6).Action);
    }

    private static ChosenEndpoints Choose(params EndpointSlice[] slices)
    {
        Service service = Park.Service();
        return EndpointChooser.Choose(service, service.Ports[0], [.. slices], AddressFamily.InterNetwork, Park.Edge1, null, TrafficPolicy.Cluster);
    }
}
