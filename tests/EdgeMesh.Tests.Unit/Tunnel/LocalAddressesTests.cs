using System.Net;
using EdgeMesh.Tunnel.Peers;

namespace EdgeMesh.Tests.Unit.Tunnel;

/// <summary>When the node's own network counts as changed.</summary>
public sealed class LocalAddressesTests
{
    // As /proc/net/route on a little-endian machine: two uplinks, the second one better; a LAN; a blackhole without a gateway.
    private const string Table = """
        Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
        eth0	00000000	0101000A	0003	0	0	200	00000000	0	0	0
        wwan0	00000000	00000000	0001	0	0	100	00000000	0	0	0
        eth0	0001000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
        eth0	broken
        """;

    private static readonly IPAddress First = IPAddress.Parse("10.0.1.10");
    private static readonly IPAddress Second = IPAddress.Parse("192.0.2.9");
    private static readonly DefaultRoute Wire = new("eth0", IPAddress.Parse("10.0.1.1"), 200);
    private static readonly DefaultRoute Radio = new("wwan0", IPAddress.Any, 100);

    [Fact]
    public void ReadsDefaultRoutesBestFirst()
    {
        Assert.True(BitConverter.IsLittleEndian);
        Assert.Equal([Radio, Wire], DefaultRoute.Parse(Table.Split('\n')));
    }

    // As /proc/net/ipv6_route: a router's advertisement, a better static route, a LAN, what a node without a default route has, rubbish.
    [Fact]
    public void ReadsDefaultRoutesOfIPv6()
    {
        const string table = """
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 00000064 00000001 00000000 00000001    wwan0
            20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 xx800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0
            broken
            """;
        Assert.Equal(
            [new DefaultRoute("wwan0", IPAddress.IPv6Any, 100), new DefaultRoute("eth0", IPAddress.Parse("fe80::1"), 1024)],
            DefaultRoute.ParseV6(table.Split('\n')));
    }

    [Fact]
    public void EachFamilyHasItsOwnUplink()
    {
        DefaultRoute six = new("eth0", IPAddress.Parse("fe80::1"), 1024);
        DefaultRoute otherSix = new("wwan0", IPAddress.Parse("fe80::2"), 1024);
        Assert.False(new LocalAddresses([First], [], [Wire, six]).HasMovedFrom(new([First], [], [Wire])));
        Assert.True(new LocalAddresses([First], [], [Wire, otherSix]).HasMovedFrom(new([First], [], [Wire, six])));
        Assert.True(new LocalAddresses([First], [], [Wire]).HasMovedFrom(new([First], [], [Wire, six])));
        Assert.True(new LocalAddresses([First], [], [Radio, six]).HasMovedFrom(new([First], [], [Wire, six])));
    }

    [Fact]
    public void AnotherUplinkIsAMoveThoughEveryAddressStays()
    {
        LocalAddresses both = new([First, Second], [], [Radio, Wire]);
        LocalAddresses wireOnly = new([First, Second], [], [Wire]);
        Assert.False(wireOnly.SameAs(both));
        Assert.True(wireOnly.HasMovedFrom(both));
        Assert.True(both.HasMovedFrom(wireOnly));
    }

    [Fact]
    public void WhatOnlyComesIsNoMove()
    {
        LocalAddresses before = new([First], [], [Wire]);
        Assert.False(new LocalAddresses([First, Second], [], [Wire, new DefaultRoute("wwan0", IPAddress.Any, 300)]).HasMovedFrom(before));
        Assert.False(before.HasMovedFrom(LocalAddresses.None));
        Assert.True(new LocalAddresses([Second], [], [Wire]).HasMovedFrom(before));
    }

    [Fact]
    public void EqualFindsAreTheSame() =>
        Assert.True(new LocalAddresses([First], [], [new DefaultRoute("eth0", IPAddress.Parse("10.0.1.1"), 200)]).SameAs(new([First], [], [Wire])));
}
