using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Tests.Lab.Lab;

/// <summary>Each kind of NAT does what its name says, with real sockets: how it maps (RFC 4787 4.1) and whom it lets in (5).</summary>
public class NatKindTests
{
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    [Theory]
    [InlineData(NatKind.None, true, "asked-host-other-port stranger")]
    [InlineData(NatKind.FullCone, true, "asked-host-other-port stranger")]
    [InlineData(NatKind.AddressRestricted, true, "asked-host-other-port")]
    [InlineData(NatKind.PortRestrictedDrop, true, "")]
    [InlineData(NatKind.PortRestrictedReject, true, "")]
    [InlineData(NatKind.Symmetric, false, "")]
    public async Task MapsAndFiltersAsItsKind(NatKind kind, bool sameMapping, string letIn)
    {
        NatProbeOutcome outcome = await ProbeAsync(kind);
        Assert.Equal(sameMapping, outcome.SeenByFirst == outcome.SeenBySecond);
        Assert.Equal(letIn, string.Join(' ', outcome.Unasked));
        string address = kind == NatKind.None ? "10.0.1.11" : "198.51.100.21";
        Assert.StartsWith(address + ":", outcome.SeenByFirst, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(NatKind.UdpBlocked)]
    [InlineData(NatKind.Only443)]
    public async Task LetsNoUdpThrough(NatKind kind)
    {
        NatProbeOutcome outcome = await ProbeAsync(kind);
        Assert.Equal(("nobody", "nobody"), (outcome.SeenByFirst, outcome.SeenBySecond));
    }

    [Fact]
    public async Task LeavesNothingBehind()
    {
        string id;
        await using (EdgeMesh.Lab.Lab lab = await EdgeMesh.Lab.Lab.CreateAsync(CancellationToken.None))
        {
            id = lab.Id;
            Switch net = await lab.AddSwitchAsync("net", CancellationToken.None);
            Host host = await lab.AddHostAsync("host", net, "10.9.0.1/24", null, CancellationToken.None);
            LabProcess sleeper = host.Start("sleep", ["sleep", "1000"]);
            Assert.False(sleeper.HasExited);
        }

        CommandResult list = await Command.RunAsync("ip", ["netns", "list"], null, CancellationToken.None);
        Assert.DoesNotContain(id, list.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/run/edgemesh-lab/" + id));
    }

    [Fact]
    public async Task RemovesWhatACrashedProcessLeft()
    {
        // A lab whose owner is a process that is long gone.
        string id = $"emdead{Random.Shared.Next(4096):x3}";
        Directory.CreateDirectory("/run/edgemesh-lab/" + id);
        await File.WriteAllTextAsync($"/run/edgemesh-lab/{id}/owner", "4194304 1");
        await Command.MustAsync("ip", ["netns", "add", id + "-left"], null, CancellationToken.None);
        await using EdgeMesh.Lab.Lab next = await EdgeMesh.Lab.Lab.CreateAsync(CancellationToken.None);
        CommandResult list = await Command.RunAsync("ip", ["netns", "list"], null, CancellationToken.None);
        Assert.DoesNotContain(id, list.Output, StringComparison.Ordinal);
    }

    private static async Task<NatProbeOutcome> ProbeAsync(NatKind kind)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        CancellationToken stop = limit.Token;
        await using EdgeMesh.Lab.Lab lab = await EdgeMesh.Lab.Lab.CreateAsync(stop);
        Switch internet = await lab.AddSwitchAsync("internet", stop);
        Router nat = await lab.AddRouterAsync("nat", internet, "198.51.100.21/24", "10.0.1.1/24", kind, stop);
        Host inside = await lab.AddHostAsync("inside", nat.Lan, "10.0.1.11/24", "10.0.1.1", stop);
        Host first = await lab.AddHostAsync("first", internet, "198.51.100.31/24", "198.51.100.21", stop);
        Host second = await lab.AddHostAsync("second", internet, "198.51.100.32/24", "198.51.100.21", stop);
        Host stranger = await lab.AddHostAsync("stranger", internet, "198.51.100.33/24", "198.51.100.21", stop);
        first.Start("reflect", [Tool, "reflect", "0.0.0.0:7000"]);
        second.Start("reflect", [Tool, "reflect", "0.0.0.0:7000"]);
        LabProcess probe = inside.Start("probe", [Tool, "nat-probe", "5000", "198.51.100.31:7000", "198.51.100.32:7000"]);
        string seen = await WaitForAsync(probe, "seen ", stop);
        string mapped = seen.Split(' ')[1];
        if (mapped != "nobody")
        {
            await first.MustAsync(stop, Tool, "udp-send", "0.0.0.0:7001", mapped, "asked-host-other-port");
            await stranger.MustAsync(stop, Tool, "udp-send", "0.0.0.0:7000", mapped, "stranger");
        }

        probe.CloseInput();
        string json = await WaitForAsync(probe, "{", stop);
        return JsonSerializer.Deserialize<NatProbeOutcome>(json)!;
    }

    private static async Task<string> WaitForAsync(LabProcess process, string start, CancellationToken stop)
    {
        while (true)
        {
            string? line = process.Log().Split('\n').FirstOrDefault(text => text.StartsWith(start, StringComparison.Ordinal) && text.Length > start.Length);
            if (line is not null)
            {
                return line;
            }

            await Task.Delay(20, stop);
        }
    }
}
