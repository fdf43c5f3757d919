using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;
using EdgeMesh.Proxy.Tcp;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class HostFactsTests
{
    private static readonly Node Self = new() { Name = Park.Edge1, Addresses = [IPAddress.Parse("192.168.1.5")] };

    [Fact]
    public void OutsideIsWhatLeadsOffTheHost()
    {
        HostFacts facts = new(Park.Routes("0.0.0.0/0 wwan0, 172.17.0.0/16 br-docker"), [
            Interface("lo"),
            Interface("edgemesh0", isBridge: true),
            Interface("br-docker", isBridge: true, lower: ["veth1"]),
            Interface("veth1"),
            Interface("cali1234"),
            Interface("enp1s0", hasHardware: true),
            Interface("br-lan", isBridge: true, lower: ["enp1s0"]),
            Interface("vlan7", lower: ["br-lan"]),
            Interface("uplink", address: "192.168.1.5"),
            Interface("wwan0"),
            Interface("wg0", isEthernet: false),
        ]);

        Assert.Equal(["br-lan", "enp1s0", "uplink", "vlan7", "wg0", "wwan0"], facts.Outside(Self, "edgemesh0"));
    }

    [Fact]
    public void BridgesThatNetfilterDoesNotSeeAreRouted()
    {
        HostFacts facts = new(RouteTable.Empty, [
            Interface("cni0", isBridge: true),
            Interface("docker0", isBridge: true) with { SeesBridged = true },
            Interface("edgemesh0", isBridge: true),
            Interface("eth0")]);

        Assert.Equal(["cni0"], facts.RoutedBridges("edgemesh0"));
    }

    [Fact]
    public void LongestPrefixWinsAndRejectRoutesAreNone()
    {
        const string Text =
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
            + "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
            + "eth1\t00000000\t0102A8C0\t0003\t0\t0\t50\t00000000\t0\t0\t0\n"
            + "br-pods\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
            + "br-pods\t0002F40A\t050011AC\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
            + "*\t0003F40A\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
            + "edgemesh0\t0A00600A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"
            + "eth0\t0004F40A\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

        RouteTable routes = RouteTable.Parse(Text, "edgemesh0", d => d == "br-pods");

        Assert.Equal("br-pods", routes.Find(IPAddress.Parse("172.17.0.2"))!.Device);
        Assert.True(routes.Find(IPAddress.Parse("172.17.0.2"))!.IsPodBridge);
        Assert.False(routes.Find(IPAddress.Parse("10.244.2.9"))!.IsPodBridge);
        Assert.Null(routes.Find(IPAddress.Parse("10.244.3.9")));
        Assert.Equal("eth1", routes.Find(IPAddress.Parse("10.244.4.9"))!.Device);
        Assert.True(routes.Find(IPAddress.Parse("10.96.0.10"))!.IsDefault);
    }

    [Theory]
    [InlineData("Name:\tx\nCapEff:\t000001ffffffffff\n", true)]
    [InlineData("CapEff:\t0000000000001000\n", true)]
    [InlineData("CapEff:\t00000000a80405fb\n", false)]
    [InlineData("", false)]
    public void ReadsCapability(string status, bool expected) => Assert.Equal(expected, Privilege.HasNetAdmin(status));

    [Theory]
    [InlineData("Limit                     Soft Limit           Hard Limit           Units\nMax open files            20000                524288               files\n", 20000)]
    [InlineData("Max open files            unlimited            unlimited            files\n", int.MaxValue)]
    [InlineData("", 1024)]
    public void ReadsFileLimit(string limits, int expected) => Assert.Equal(expected, FileReserve.Parse(limits));

    [Theory]
    [InlineData(20_000, 19_744)]
    [InlineData(1024, 768)]
    [InlineData(400, 300)]
    public void FileLimitKeepsAReserve(int files, int first) => Assert.Equal(first, new FileReserve(files).First);

    [Fact]
    public void ASocketsNumberTellsHowManyFilesAreOpen()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        Assert.True(new FileReserve((int)socket.Handle).IsNear(socket));
        Assert.False(new FileReserve((int)socket.Handle + 257).IsNear(socket));
    }

    private static InterfaceFacts Interface(
        string name, bool isBridge = false, bool hasHardware = false, bool isEthernet = true, string? address = null, string[]? lower = null) =>
        new(name, isBridge, SeesBridged: false, isEthernet, hasHardware, [.. lower ?? []], address is null ? [] : [IPAddress.Parse(address)]);
}
