using System.Net;
using CsCheck;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Tests.Unit.Proxy;

public class RouteEventsTests
{
    private const uint Table = 20006;

    // Recorded from Linux 6.18: "10.96.0.12 dev edgemesh0 scope link src 169.254.96.16 table 20006".
    private static readonly byte[] Route = Convert.FromHexString(
        "3c00000018000006d2aa046bf501000002200000fc03fd010000000008000f00264e0000080001000a60000c08000700a9fe60100800040002000000");

    [Fact]
    public void OursThatIsMadeIsNoNews() => Assert.Equal((new RouteEvents(false, false), ""), Read(Route));

    [Fact]
    public void OursThatIsGoneIsTold() => Assert.Equal((new RouteEvents(false, false), "10.96.0.12/32"), Read(Deleted(Route)));

    [Fact]
    public void AnotherTablesIsTheHosts()
    {
        byte[] other = Deleted(Route);
        other[16 + 12 + 4] = 0x27;
        Assert.Equal((new RouteEvents(true, false), ""), Read(other));
    }

    [Fact]
    public void SeveralMessagesInOneReadAreAllSeen()
    {
        byte[] rule = [20, 0, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
        Assert.Equal((new RouteEvents(true, true), "10.96.0.12/32 10.96.0.12/32"), Read([.. Deleted(Route), .. rule, .. Deleted(Route)]));
    }

    [Fact]
    public void NoBytesThrowOrLoop() => Gen.Byte.Array[0, 200].Sample(noise =>
    {
        byte[] bytes = [.. Deleted(Route), .. noise];
        noise.CopyTo(bytes.AsSpan(16));
        _ = Read(bytes);
        _ = Read(noise);
    });

    private static byte[] Deleted(byte[] route)
    {
        byte[] deleted = [.. route];
        deleted[4] = 25;
        return deleted;
    }

    private static (RouteEvents Events, string Deleted) Read(byte[] messages)
    {
        List<IPNetwork> deleted = [];
        RouteEvents events = RouteEvents.Read(messages, Table, deleted.Add);
        return (events, string.Join(' ', deleted));
    }
}
