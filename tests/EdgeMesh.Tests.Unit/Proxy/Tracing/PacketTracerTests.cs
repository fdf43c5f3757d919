namespace EdgeMesh.Tests.Unit.Proxy.Tracing;

/// <summary>Where packets end in our rules; tests/EdgeMesh.Tests.Lab asks the kernel the same.</summary>
public sealed class PacketTracerTests
{
    public static TheoryData<string> Names => [.. PacketCase.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void PacketsEndThere(string name)
    {
        PacketCase question = PacketCase.All.Single(c => c.Name == name);

        Assert.Equal(question.Ends.Order(), question.Trace().Select(t => t.End).Distinct().Order());
    }

    [Fact]
    public void UnknownExpressionsAreNoMatches() => Assert.Throws<NotSupportedException>(() => new PacketTracer(
        "chain output {\nct zone 1 drop\n}", PacketCase.OwnAddresses, _ => "eth0").Read().Trace(PacketCase.All.First(c => c.From == "host").Packet));
}
