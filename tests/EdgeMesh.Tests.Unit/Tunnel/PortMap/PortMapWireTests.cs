using System.Net;
using EdgeMesh.Tests.Unit.Tunnel.Wire;
using EdgeMesh.Tunnel.PortMap;

namespace EdgeMesh.Tests.Unit.Tunnel.PortMap;

/// <summary>PCP (RFC 6887), NAT-PMP (RFC 6886) and UPnP IGD as bytes and text.</summary>
public sealed class PortMapWireTests
{
    private const ushort Inside = 20007;
    private static readonly byte[] Nonce = [.. Enumerable.Range(1, 12).Select(i => (byte)i)];
    private static readonly IPAddress Gateway = IPAddress.Parse("10.0.1.1");

    private static readonly byte[] PcpAnswer = Convert.FromHexString(
        "02810000" + "00001c20" + "00000009" + "000000000000000000000000"
        + "0102030405060708090a0b0c" + "11000000" + "4e27" + "c350" + "00000000000000000000ffffcb007107");

    private static readonly byte[] AddressAnswer = Convert.FromHexString("00800000" + "00000009" + "cb007107");
    private static readonly byte[] MapAnswer = Convert.FromHexString("00810000" + "00000009" + "4e27" + "c350" + "00001c20");

    [Fact]
    public void RequestsHaveTheirBytes()
    {
        byte[] pcp = new byte[Pcp.Length];
        Pcp.WriteMap(pcp, Nonce, IPAddress.Parse("10.0.1.10"), Inside, 50000, TimeSpan.FromHours(2));
        Assert.Equal(
            "02010000" + "00001c20" + "00000000000000000000ffff0a00010a" + "0102030405060708090a0b0c" + "11000000" + "4e27" + "c350"
            + "00000000000000000000ffff00000000",
            WireCase.Hex(pcp));
        byte[] natPmp = new byte[NatPmp.MapLength];
        NatPmp.WriteMap(natPmp, Inside, 50000, TimeSpan.FromHours(2));
        Assert.Equal("00010000" + "4e27" + "c350" + "00001c20", WireCase.Hex(natPmp));
    }

    [Fact]
    public void AnswersAreRead()
    {
        Assert.True(Pcp.TryRead(PcpAnswer, Nonce, Inside, out byte result, out PortMapping? mapping));
        Assert.Equal((0, new PortMapping("PCP", IPEndPoint.Parse("203.0.113.7:50000"), TimeSpan.FromHours(2))), (result, mapping));
        Assert.True(NatPmp.TryReadAddress(AddressAnswer, out IPAddress address));
        Assert.True(NatPmp.TryReadMap(MapAnswer, Inside, out ushort outside, out TimeSpan lifetime));
        Assert.Equal((IPAddress.Parse("203.0.113.7"), 50000, TimeSpan.FromHours(2)), (address, outside, lifetime));
    }

    [Fact]
    public void AnswersToOthersAndRefusalsMapNothing()
    {
        Assert.False(Pcp.TryRead(PcpAnswer, Nonce, Inside + 1, out _, out _));
        Assert.False(Pcp.TryRead(PcpAnswer, [.. Nonce.Reverse()], Inside, out _, out _));
        byte[] refused = [.. PcpAnswer];
        refused[3] = 8; // NO_RESOURCES
        Assert.True(Pcp.TryRead(refused, Nonce, Inside, out byte result, out PortMapping? mapping));
        Assert.Equal((8, null), (result, mapping));
        Assert.False(NatPmp.TryReadMap(MapAnswer, Inside + 1, out _, out _));
        byte[] refusedMap = [.. MapAnswer];
        refusedMap[3] = 2; // not authorized
        Assert.False(NatPmp.TryReadMap(refusedMap, Inside, out _, out _));
    }

    [Fact]
    public void PrefixesAreRefusedAndMutatedBytesNeverThrow()
    {
        foreach ((byte[] message, WireCase.Reader read) in ((byte[], WireCase.Reader)[])
        [
            (PcpAnswer, m => Pcp.TryRead(m, Nonce, Inside, out _, out _)),
            (AddressAnswer, m => NatPmp.TryReadAddress(m, out _)),
            (MapAnswer, m => NatPmp.TryReadMap(m, Inside, out _, out _)),
        ])
        {
            WireCase.RefusesEveryPrefix(message, read);
            WireCase.MutatedBytesNeverThrow(message, read);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nlocation: http://10.0.1.1:5000/root.xml\r\n", "http://10.0.1.1:5000/root.xml")]
    [InlineData("HTTP/1.1 200 OK\r\nLOCATION: http://10.0.1.66:5000/root.xml\r\n", null)]
    [InlineData("HTTP/1.1 200 OK\r\nLOCATION: file:///etc/passwd\r\n", null)]
    [InlineData("HTTP/1.1 200 OK\r\n", null)]
    public void OnlyTheGatewayItselfIsBelieved(string answer, string? location) =>
        Assert.Equal(location, Upnp.LocationOf(answer, Gateway)?.ToString());

    [Theory]
    [InlineData("/ctl", "http://10.0.1.1:5000/ctl")]
    [InlineData("http://192.0.2.66/ctl", null)]
    public void TheControlUrlLiesOnTheGateway(string control, string? expected)
    {
        Uri location = new("http://10.0.1.1:5000/root.xml");
        string description = $"""
            <root><device><serviceList>
              <service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/other</controlURL></service>
              <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>{control}</controlURL></service>
            </serviceList></device></root>
            """;
        Assert.Equal(expected, Upnp.ServiceOf(description, location, Gateway)?.Control.ToString());
        for (int cut = 0; cut < description.Length; cut++)
        {
            _ = Upnp.ServiceOf(description[..cut], location, Gateway);
        }
    }
}
