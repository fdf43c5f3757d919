using EdgeMesh.App.Agent;
using EdgeMesh.App.Ops;
using EdgeMesh.Tunnel;

namespace EdgeMesh.Tests.Unit.App;

public class NetcheckAdviceTests
{
    private const string Port = "198.51.100.1:20006";

    [Fact]
    public void AGoodNetworkNeedsNoAdvice()
    {
        NetcheckReport report = NetcheckAdvice.Of("edge1", Check(NatMapping.EndpointIndependent, Server(connected: true, udp: true)));
        Assert.Empty(report.Advice);
        Assert.Equal(("endpoint-independent", true, "udp"), (report.Nat, report.Udp, report.Servers[0].Leg));
    }

    [Fact]
    public void BlockedUdpIsNamedWithItsPorts()
    {
        string advice = Assert.Single(NetcheckAdvice.Of("edge1", Check(NatMapping.Unknown, Server(connected: true, udp: false))).Advice);
        Assert.Contains("UDP 20006", advice, StringComparison.Ordinal);
        Assert.Contains("20007", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void AHardNatIsNamedUnlessAPortIsMapped()
    {
        NetworkCheck check = Check(NatMapping.DestinationDependent, Server(connected: true, udp: true));
        Assert.Contains("PCP", Assert.Single(NetcheckAdvice.Of("edge1", check).Advice), StringComparison.Ordinal);
        Assert.Empty(NetcheckAdvice.Of("edge1", check with { MappedPort = "203.0.113.7:20007 by PCP" }).Advice);
    }

    [Fact]
    public void AServerThatIsDeafAt443IsNamed()
    {
        ServerCheck server = Server(connected: true, udp: true);
        ServerPortCheck deaf = new("198.51.100.1:443", null, null, "Connection refused");
        string advice = Assert.Single(NetcheckAdvice.Of("edge1", Check(NatMapping.None, server with { Ports = [.. server.Ports, deaf] })).Advice);
        Assert.Contains("--listen 0.0.0.0:443", advice, StringComparison.Ordinal);
        ServerPortCheck hears = deaf with { RoundTrip = TimeSpan.FromMilliseconds(20), Fault = null };
        Assert.Empty(NetcheckAdvice.Of("edge1", Check(NatMapping.None, server with { Ports = [.. server.Ports, hears] })).Advice);
    }

    [Fact]
    public void AServerOutOfReachIsToldFromOneThatDoesNotResolve()
    {
        ServerCheck silent = Server(connected: false, udp: false) with { Ports = [new ServerPortCheck(Port, null, null, "no answer within 3 s")] };
        Assert.Contains("no TCP port", NetcheckAdvice.Of("edge1", Check(NatMapping.Unknown, silent)).Advice[0], StringComparison.Ordinal);
        ServerCheck unnamed = Server(connected: false, udp: false) with { Fault = "Name or service not known", Ports = [] };
        Assert.Contains("does not resolve", NetcheckAdvice.Of("edge1", Check(NatMapping.Unknown, unnamed)).Advice[0], StringComparison.Ordinal);
    }

    [Fact]
    public void AProxyThatRefusesIsNamedWithWhatItSays()
    {
        ServerCheck refused = Server(connected: false, udp: false) with
        {
            Fault = "Name or service not known",
            Ports = [new ServerPortCheck("mesh.example.org:443", "10.0.0.1:3128", null, "407: the proxy wants a name and a password")],
        };
        string advice = Assert.Single(NetcheckAdvice.Of("edge1", Check(NatMapping.Unknown, refused)).Advice);
        Assert.Contains("10.0.0.1:3128: 407", advice, StringComparison.Ordinal);
    }

    /// <summary>A node whose only resolver is its proxy is not told to mend the one it does not have.</summary>
    [Fact]
    public void ANameThatOnlyTheProxyResolvesIsNoProblem()
    {
        ServerCheck proxied = Server(connected: true, udp: true) with
        {
            Fault = "Name or service not known",
            Ports = [new ServerPortCheck("mesh.example.org:443", "10.0.0.1:3128", TimeSpan.FromMilliseconds(20), null)],
        };
        NetcheckReport report = NetcheckAdvice.Of("edge1", Check(NatMapping.EndpointIndependent, proxied));
        Assert.Empty(report.Advice);
        Assert.Equal((null, "10.0.0.1:3128"), (report.Servers[0].Problem, report.Servers[0].Tcp[0].Proxy));
    }

    private static ServerCheck Server(bool connected, bool udp) => new(
        new ServerStatus { Server = "mesh.example.org", Connected = connected, Udp = udp, Since = DateTimeOffset.UnixEpoch, WhyText = "why" },
        [new ServerPortCheck(Port, null, TimeSpan.FromMilliseconds(20), null)],
        null);

    private static NetworkCheck Check(NatMapping mapping, params ServerCheck[] servers) => new(20007, mapping, [], false, null, 1472, servers);
}
