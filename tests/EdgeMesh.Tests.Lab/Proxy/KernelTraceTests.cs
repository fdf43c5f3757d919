using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeMesh.Tests.Unit.Proxy.Tracing;

namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>The cases of the tracer in a real kernel: <c>nft monitor trace</c> has to tell one of the ways that the tracer found.</summary>
public sealed partial class KernelTraceTests : IAsyncLifetime
{
    private static readonly string Prefix = string.Create(CultureInfo.InvariantCulture, $"tr{Environment.ProcessId}");

    private static readonly string Node = Prefix + "n";

    public static TheoryData<string> Names => [.. PacketCase.All.Select(c => c.Name)];

    public async Task InitializeAsync() => await ProxyNet.ShAsync($"""
        for name in n p e o; do ip netns add {Prefix}$name; ip -n {Prefix}$name link set lo up; done
        ip -n {Node} link add br0 type bridge
        ip -n {Node} link add edgemesh0 type bridge
        ip -n {Node} link add pod1 type veth peer name eth0 netns {Prefix}p
        ip -n {Node} link add pod2 type veth peer name eth0 netns {Prefix}e
        ip -n {Node} link add eth0 type veth peer name eth0 netns {Prefix}o
        ip -n {Node} addr add 172.17.0.1/16 dev br0; ip -n {Node} addr add 10.0.0.5/24 dev eth0; ip -n {Node} addr add {PacketCase.Mesh}/32 dev edgemesh0
        ip -n {Node} link set pod1 master br0; ip -n {Node} link set pod2 master br0
        for link in br0 edgemesh0 pod1 pod2 eth0; do ip -n {Node} link set $link up; done
        ip netns exec {Node} sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=0
        ip -n {Node} route add default via 10.0.0.7
        ip -n {Node} route add {PacketCase.ClusterIp}/32 dev edgemesh0 src {PacketCase.Mesh}
        ip -n {Prefix}p addr add 172.17.0.9/16 dev eth0; ip -n {Prefix}e addr add 172.17.0.2/16 dev eth0; ip -n {Prefix}o addr add 10.0.0.7/24 dev eth0
        for name in p e o; do ip -n {Prefix}$name link set eth0 up; done
        for name in p e; do ip -n {Prefix}$name route add default via 172.17.0.1; done
        ip -n {Prefix}o route add default via 10.0.0.5
        """);

    public async Task DisposeAsync() => await ProxyNet.ShAsync($"for name in n p e o; do ip netns del {Prefix}$name; done");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task TheKernelGoesTheSameWay(string name)
    {
        PacketCase question = PacketCase.All.Single(c => c.Name == name);
        TracedPacket packet = question.Packet;
        string[] ways = [.. question.Trace().Select(t => string.Join(", ", t.Steps))];
        string rules = Path.GetTempFileName();
        string mark = packet.Mark == 0 ? "" : $"meta mark set 0x{packet.Mark:x} ";
        string watch = $"ip daddr {packet.To.Address} {packet.Protocol} dport {packet.To.Port} {mark}meta nftrace set 1";
        await File.WriteAllTextAsync(rules, question.Rules() + $$"""
            table ip watch {
              chain in { type filter hook prerouting priority -350; policy accept; iifname { "br0", "eth0" } {{watch}}; }
              chain out { type filter hook output priority -350; policy accept; {{watch}}; }
            }
            """);
        await ProxyNet.ShAsync($"ip netns exec {Node} nft -f {rules}");
        File.Delete(rules);

        List<string> lines = [];
        using Process monitor = Start(["netns", "exec", Node, "nft", "monitor", "trace"], line =>
        {
            lock (lines)
            {
                lines.Add(line);
            }
        });
        string space = Prefix + question.From switch { "pod" => "p", "endpoint" => "e", "outside" => "o", _ => "n" };
        try
        {
            // The monitor says nothing when it listens: packets are sent until one of them is seen.
            string? seen = null;
            long start = Stopwatch.GetTimestamp();
            while (seen is null || !ways.Contains(seen))
            {
                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20), $"{packet}\nexpected {string.Join("\n      or ", ways)}\nseen {seen}");
                await ProxyNet.CommandAsync("ip", ["netns", "exec", space, "timeout", "0.3", "bash", "-c",
                    $"echo x > /dev/{packet.Protocol}/{packet.To.Address}/{packet.To.Port}"]);
                lock (lines)
                {
                    seen = FirstPacket(lines);
                    lines.Clear();
                }
            }
        }
        finally
        {
            monitor.Kill();
            await monitor.WaitForExitAsync();
        }
    }

    /// <summary>The verdicts of our table over the first packet that the kernel traced from its beginning; null if there is none.</summary>
    private static string? FirstPacket(List<string> lines)
    {
        string? first = lines.Select(l => TraceLine().Match(l)).FirstOrDefault(m => m.Success && m.Groups["table"].Value == "watch")?.Groups["id"].Value;
        return first is null ? null : string.Join(", ", lines.Select(l => TraceLine().Match(l))
            .Where(m => m.Success && m.Groups["id"].Value == first && m.Groups["table"].Value == "edgemesh" && m.Groups["verdict"].Value != "continue")
            .Select(m => $"{m.Groups["chain"].Value} {m.Groups["verdict"].Value}"));
    }

    [GeneratedRegex(@"^trace id (?<id>\w+) ip (?<table>\S+) (?<chain>\S+) rule .*\(verdict (?<verdict>[^)]+)\)$")]
    private static partial Regex TraceLine();

    private static Process Start(string[] arguments, Action<string> onLine)
    {
        Process process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardOutput = true })!;
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is string line)
            {
                onLine(line);
            }
        };
        process.BeginOutputReadLine();
        return process;
    }
}
