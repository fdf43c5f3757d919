using System.Text.Json;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class SignalMessageTests
{
    [Fact]
    public void HasItsText()
    {
        Assert.Equal("""{"type":"udp","bound":false}""", Text(new SignalMessage { Type = SignalMessage.UdpLeg, Bound = false }));
        Assert.Equal(
            """{"type":"welcome","session":"00000000000000ff","key":"AAA=","udp":["a:1"],"addresses":["a:2"],"bootId":"x"}""",
            Text(new SignalMessage { Type = SignalMessage.Welcome, Session = "00000000000000ff", Key = "AAA=", Udp = ["a:1"], Addresses = ["a:2"], BootId = "x" }));
    }

    [Fact]
    public void UnknownFieldsAreIgnoredAndATypeIsNeeded()
    {
        SignalMessage? read = JsonSerializer.Deserialize("""{"type":"ping","t":"7","later":[1]}""", WireJson.Default.SignalMessage);
        Assert.Equal(("ping", "7"), (read?.Type, read?.T));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{"t":"7"}""", WireJson.Default.SignalMessage));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{"node":"a","token":"b"}""", WireJson.Default.EnrollRequest));
    }

    private static string Text(SignalMessage message) => JsonSerializer.Serialize(message, WireJson.Default.SignalMessage);
}
