namespace EdgeMesh.Lab;

/// <summary>A NAT router. Its kind and its faults can be changed while traffic flows.</summary>
public sealed class Router(Host host, Switch lan, string wanAddress)
{
    private string defaultRoute = "";

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

    /// <summary>Loses a share of what passes, in both directions; 0 ends it.</summary>
    public Task LoseAsync(int percent, CancellationToken stop) =>
        percent == 0 ? UnfaultAsync("loss", stop) : FaultAsync("loss", $"numgen random mod 100 < {percent} drop", stop);

    /// <summary>
    /// Lets only packets through that fit, and says nothing about the others: a tunnel behind a firewall that drops ICMP. 1500 ends it.
    /// </summary>
    public async Task SwallowLongerThanAsync(int mtu, CancellationToken stop)
    {
        await host.NftAsync(mtu < 1500 ? """
            table ip fault_mtu
            delete table ip fault_mtu
            table ip fault_mtu { chain output { type filter hook output priority -10; icmp type destination-unreachable icmp code frag-needed drop; }; }
            """ : "table ip fault_mtu\ndelete table ip fault_mtu", stop);
        await host.MustAsync(stop, "ip", "link", "set", "wan0", "mtu", $"{mtu}");
    }

    /// <summary>Takes the way to the internet away, or gives it back.</summary>
    public async Task LinkAsync(bool up, CancellationToken stop)
    {
        string[] routes = (await host.MustAsync(stop, "ip", "-o", "route", "show", "default")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        defaultRoute = routes.Length > 0 ? routes[0].Trim() : defaultRoute;
        await host.MustAsync(stop, "ip", "link", "set", "wan0", up ? "up" : "down");
        if (up && defaultRoute.Length > 0)
        {
            // The kernel drops the route with the link.
            await host.MustAsync(stop, ["ip", "route", "replace", .. defaultRoute.Split(' ').Where(word => word is not "linkdown")]);
        }
    }

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
