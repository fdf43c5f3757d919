using System.Net;
using EdgeMesh.Dns;

namespace EdgeMesh.Tests.Unit.Dns;

public sealed class GateTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("100.127.0.1", true)]
    [InlineData("100.128.0.1", false)]
    [InlineData("203.0.113.9", false)]
    [InlineData("::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("2001:db8::1", false)]
    public void RecursionIsForPrivateAddresses(string client, bool expected) =>
        Assert.Equal(expected, new ClientGate(ClientGate.PrivateNetworks, 0).MayRecurse(DnsAddress.From(IPAddress.Parse(client))));

    [Fact]
    public void TheWholeInternetCanBeAllowed()
    {
        ClientGate gate = new([IPNetwork.Parse("0.0.0.0/0")], 0);
        Assert.True(gate.MayRecurse(DnsAddress.From(IPAddress.Parse("203.0.113.9"))));
        Assert.False(gate.MayRecurse(DnsAddress.From(IPAddress.Parse("2001:db8::1"))));
    }

    [Fact]
    public void BurstIsTwiceTheRateAndRefillsWithTime()
    {
        ClientGate gate = new([], 10);
        DnsAddress client = DnsAddress.From(IPAddress.Parse("10.0.0.1"));
        Assert.Equal(20, Enumerable.Range(0, 100).Count(_ => gate.TryTake(client, 5000)));
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => gate.TryTake(client, 6000)));
        Assert.True(gate.TryTake(DnsAddress.From(IPAddress.Parse("10.0.0.2")), 6000));
    }
}
