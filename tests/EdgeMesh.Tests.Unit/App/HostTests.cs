using EdgeMesh.App.Host;
using EdgeMesh.App.Ops;

namespace EdgeMesh.Tests.Unit.App;

public class HostTests
{
    [Fact]
    public void ReadsEffectiveCapabilities()
    {
        string[] status = ["Name:\tx", "CapPrm:\tffffffffffffffff", "CapEff:\t0000000000001000"];
        Assert.True(Capabilities.Has(status, Capabilities.NetAdmin));
        Assert.False(Capabilities.Has(status, Capabilities.NetBindService));
        Assert.False(Capabilities.Has([], Capabilities.NetAdmin));
    }

    [Fact]
    public void RaisesTheLimitOfOpenFiles()
    {
        ulong limit = FileLimit.Raise();
        string line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        Assert.Equal(limit.ToString(System.Globalization.CultureInfo.InvariantCulture), line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]);
        Assert.True(limit >= 1024);
    }

    [Fact]
    public void ReadsItsOwnMemory()
    {
        ProcessMemory memory = ProcessMemory.Read();
        Assert.InRange(memory.Anonymous, 1_000_000, memory.Resident);
    }

    [Fact]
    public void ColumnsAlignAndShowEmptyCells()
    {
        Columns table = new("NODE", "PATH", "WHY");
        table.Add("edge1", "direct", null);
        table.Add("a-long-name", "", "relayed: UDP is blocked");
        Assert.Equal(
            "NODE         PATH    WHY\nedge1        direct  -\na-long-name  -       relayed: UDP is blocked\n", table.ToString());
    }

    [Theory]
    [InlineData(999, "999 B")]
    [InlineData(1500, "1.5 kB")]
    [InlineData(999_960, "1.0 MB")]
    [InlineData(27_300_000, "27.3 MB")]
    public void SizesAreForPeople(long bytes, string text) => Assert.Equal(text, SizeText.Of(bytes));
}
