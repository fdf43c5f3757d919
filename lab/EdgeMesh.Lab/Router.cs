namespace EdgeMesh.Lab;

/// <summary>A NAT router. Its kind and its faults can be changed while traffic flows.</summary>
public sealed class Router(Host host, Switch lan, string wanAddress)
{
    public Host Host => host;

    public Switch Lan => lan;

    /// <summary>Public address.</summary>
    public string WanAddress => wanAddress;

    public async Task SetNatAsync(NatKind kind, CancellationToken stop)
    {
        await host.NftAsync($"table ip nat\ndelete table ip nat\n{NatRules.Of(kind)}", stop);
        await ForgetAsync(stop);
    }

    /// <summary>UDP stops in both directions, established flows too.</summary>
    public Task BlockUdpAsync(CancellationToken stop) => FaultAsync("udp", "meta l4proto udp drop", stop);

    public Task UnblockUdpAsync(CancellationToken stop) => UnfaultAsync("udp", stop);

    /// <summary>UDP to and from one address stops: hole punching to that site fails, the server stays in reach.</summary>
    public Task BlockUdpWithAsync(string address, CancellationToken stop) =>
        FaultAsync("probes", $"meta l4proto udp ip saddr {address} drop; meta l4proto udp ip daddr {address} drop", stop);

    public Task UnblockUdpWithAsync(CancellationToken stop) => UnfaultAsync("probes", stop);

    /// <summary>The router is restarted: all mappings are forgotten.</summary>
    public Task ForgetAsync(CancellationToken stop) => host.RunAsync(stop, "conntrack", "-F");

    private Task FaultAsync(string name, string rules, CancellationToken stop) => host.NftAsync($$"""
        table ip fault_{{name}}
        delete table ip fault_{{name}}
        table ip fault_{{name}} {
          chain forward { type filter hook forward priority -10; {{rules}}; }
          chain input { type filter hook input priority -10; {{rules}}; }
        }
        """, stop);

    private Task UnfaultAsync(string name, CancellationToken stop) =>
        host.NftAsync($"table ip fault_{name}\ndelete table ip fault_{name}", stop);
}
