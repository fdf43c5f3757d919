using System.Text.Json;

namespace EdgeMesh.Lab;

/// <summary>Bytes on a node's link so far, both directions, by what they are for.</summary>
public readonly record struct TrafficBytes(long Lan, long Direct, long RelayUdp, long RelayTls)
{
    public static TrafficBytes operator -(TrafficBytes left, TrafficBytes right) => new(
        left.Lan - right.Lan, left.Direct - right.Direct, left.RelayUdp - right.RelayUdp, left.RelayTls - right.RelayTls);

    public long Sum => Lan + Direct + RelayUdp + RelayTls;

    /// <summary>The way that carried at least nine tenths of <paramref name="payload"/>; "kernel" if the link saw next to nothing of it.</summary>
    public string PathOf(long payload) => PathOf(payload, payload * 9 / 10);

    /// <summary>The way that carried three quarters of all bytes: presence, probes and keep-alives are among them.</summary>
    public string MainPath() => Sum == 0 ? "nothing" : PathOf(Sum, Sum * 3 / 4) is "mixed" ? $"mixed ({this})" : PathOf(Sum, Sum * 3 / 4);

    private string PathOf(long payload, long most)
    {
        return Lan >= most ? "LAN"
            : Direct >= most ? "direct"
            : RelayUdp >= most ? "relay UDP"
            : RelayTls >= most ? "relay TLS"
            : Sum < payload / 20 ? "kernel"
            : "mixed";
    }
}

/// <summary>
/// Counters on a node's link, in a table of the lab's own that only counts: the demo reads the path from what was on the wire,
/// not from what the agent says.
/// </summary>
public static class Traffic
{
    public static Task CountAsync(Host host, string lan, CancellationToken stop)
    {
        string rules = $"""
            ip saddr {lan} ip daddr {lan} meta l4proto udp counter name lan return
            meta l4proto udp th sport 20006 counter name relay_udp return
            meta l4proto udp th dport 20006 counter name relay_udp return
            tcp sport @relay_ports counter name relay_tls return
            tcp dport @relay_ports counter name relay_tls return
            meta l4proto udp counter name direct return
            """;
        return host.NftAsync($$"""
            table ip traffic
            delete table ip traffic
            table ip traffic {
              set relay_ports { type inet_service; elements = { 443, 20006 } }
              counter lan {}
              counter direct {}
              counter relay_udp {}
              counter relay_tls {}
              chain in { type filter hook prerouting priority -450; iifname != "eth0" return
                {{rules}}
              }
              chain out { type filter hook postrouting priority 450; oifname != "eth0" return
                {{rules}}
              }
            }
            """, stop);
    }

    public static async Task<TrafficBytes> ReadAsync(Host host, CancellationToken stop)
    {
        string text = await host.MustAsync(stop, "nft", "-j", "list", "counters", "table", "ip", "traffic");
        using JsonDocument document = JsonDocument.Parse(text);
        Dictionary<string, long> bytes = [];
        foreach (JsonElement item in document.RootElement.GetProperty("nftables").EnumerateArray())
        {
            if (item.TryGetProperty("counter", out JsonElement counter))
            {
                bytes[counter.GetProperty("name").GetString()!] = counter.GetProperty("bytes").GetInt64();
            }
        }

        return new TrafficBytes(bytes["lan"], bytes["direct"], bytes["relay_udp"], bytes["relay_tls"]);
    }
}
