using System.Net;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.App;

public class SettingValuesTests
{
    private static readonly Setting Some = Setting.Text("some", "VALUE", "help");

    [Theory]
    [InlineData("127.0.0.1:20008", "127.0.0.1:20008")]
    [InlineData("10.0.0.1", "10.0.0.1:99")]
    [InlineData(":443", "0.0.0.0:443")]
    [InlineData("[::1]:5", "[::1]:5")]
    public void ReadsEndPoints(string text, string expected) =>
        Assert.Equal(IPEndPoint.Parse(expected), Given(text).EndPoints(Some, IPAddress.Any, 99).Single());

    [Theory]
    [InlineData("1.2:3")]
    [InlineData(":0")]
    [InlineData(":70000")]
    [InlineData("host:80")]
    [InlineData("")]
    public void RefusesWhatIsNoEndPoint(string text)
    {
        MeshException e = Assert.Throws<MeshException>(() => Given(text).EndPoints(Some, IPAddress.Any, 99));
        Assert.StartsWith($"--some is '{text}', but must be ", e.Message, StringComparison.Ordinal);
        Assert.Equal(MeshExit.Usage, e.Exit);
    }

    [Theory]
    [InlineData("mesh.example.org")]
    [InlineData("mesh.example.org:443")]
    [InlineData("192.0.2.1:20006")]
    [InlineData("[2001:db8::1]:443")]
    [InlineData("[2001:db8::1]")]
    public void AcceptsHosts(string text) => Assert.Equal([text], Given(text).Hosts(Some));

    [Theory]
    [InlineData("https://mesh.example.org")]
    [InlineData("mesh:port")]
    [InlineData("2001:db8::1")]
    [InlineData("a b")]
    [InlineData("host:0")]
    public void RefusesWhatIsNoHost(string text) => Assert.Throws<MeshException>(() => Given(text).Hosts(Some));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("24h", 86400)]
    [InlineData("7d", 604800)]
    public void ReadsDurations(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Given(text).Duration(Some, default));

    [Theory]
    [InlineData("24")]
    [InlineData("0h")]
    [InlineData("-1h")]
    [InlineData("99999d")]
    [InlineData("h")]
    public void RefusesWhatIsNoDuration(string text) => Assert.Throws<MeshException>(() => Given(text).Duration(Some, default));

    [Theory]
    [InlineData("8kbit", 1000)]
    [InlineData("20Mbit", 2_500_000)]
    [InlineData("1.5Gbit", 187_500_000)]
    public void ReadsRates(string text, long bytes)
    {
        Assert.Equal(bytes, Given(text).Rate(Some));
        Assert.Equal(text, RateText.Of(bytes));
    }

    [Fact]
    public void OffIsNoRate() => Assert.Null(Given("off").Rate(Some));

    [Theory]
    [InlineData("20")]
    [InlineData("20mbit")]
    [InlineData("20MB")]
    [InlineData("-1Mbit")]
    [InlineData("0Mbit")]
    [InlineData("1kbit")]
    [InlineData("1e9Gbit")]
    [InlineData("NaNMbit")]
    [InlineData("Mbit")]
    public void RefusesWhatIsNoRate(string text)
    {
        MeshException e = Assert.Throws<MeshException>(() => Given(text).Rate(Some));
        Assert.StartsWith($"--some is '{text}', but must be a rate", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("512KiB", 524_288)]
    [InlineData("64MB", 64_000_000)]
    [InlineData("1GiB", 1_073_741_824)]
    public void ReadsByteCounts(string text, long bytes) => Assert.Equal(bytes, Given(text).ByteCount(Some, 0, 1024, 1L << 40));

    [Theory]
    [InlineData("512")]
    [InlineData("1KiB")]
    [InlineData("2GiB")]
    [InlineData("-1MiB")]
    public void RefusesWhatIsNoByteCount(string text)
    {
        MeshException e = Assert.Throws<MeshException>(() => Given(text).ByteCount(Some, 0, 64 << 10, 1 << 30));
        Assert.Equal($"--some is '{text}', but must be an amount such as 512KiB or 64MB, from 64KiB to 1024MiB", e.Message);
    }

    [Fact]
    public void AMissingOptionSaysHowToGiveIt()
    {
        SettingValues none = new(new Dictionary<string, SettingValue>());
        MeshException e = Assert.Throws<MeshException>(() => none.Required(Some, "X"));
        Assert.Equal("option --some is missing: give --some X, or 'some: X' in the --config file", e.Message);
    }

    [Theory]
    [InlineData(59, "59s")]
    [InlineData(61, "1m1s")]
    [InlineData(3700, "1h1m")]
    [InlineData(90000, "1d1h")]
    public void ShortensDurations(int seconds, string text) => Assert.Equal(text, DurationText.Short(TimeSpan.FromSeconds(seconds)));

    private static SettingValues Given(string text) =>
        new(new Dictionary<string, SettingValue> { ["some"] = new([text], "--some") });
}
