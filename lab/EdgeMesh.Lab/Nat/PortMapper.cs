namespace EdgeMesh.Lab;

/// <summary>miniupnpd on a router: PCP, NAT-PMP and UPnP IGD as home routers offer them.</summary>
public static class PortMapper
{
    public static async Task<LabProcess> StartAsync(Lab lab, Router router, string lan, CancellationToken stop)
    {
        // Its chains, and a gap for them in the router's own filter. Priority 99: its source ports come before the masquerade.
        await router.Host.NftAsync("""
            table inet filter {
              chain forward { type filter hook forward priority -1; jump miniupnpd; }
              chain miniupnpd { }
              chain prerouting { type nat hook prerouting priority -101; jump prerouting_miniupnpd; }
              chain postrouting { type nat hook postrouting priority 99; jump postrouting_miniupnpd; }
              chain prerouting_miniupnpd { }
              chain postrouting_miniupnpd { }
            }
            insert rule ip nat forward ct status dnat accept
            insert rule ip nat input iif lan0 accept
            """, stop);
        string file = Path.Combine(lab.Directory, $"{router.Host.Name}-miniupnpd.conf");
        await File.WriteAllTextAsync(file, $"""
            ext_ifname=wan0
            listening_ip=lan0
            port=0
            enable_natpmp=yes
            enable_upnp=yes
            secure_mode=yes
            upnp_table_name=filter
            upnp_nat_table_name=filter
            upnp_forward_chain=miniupnpd
            upnp_nat_chain=prerouting_miniupnpd
            upnp_nat_postrouting_chain=postrouting_miniupnpd
            uuid=7c0ffee0-0000-4000-8000-000000000001
            allow 1024-65535 {lan} 1024-65535
            deny 0-65535 0.0.0.0/0 0-65535

            """, stop);
        return router.Host.Start("miniupnpd", ["miniupnpd", "-d", "-f", file, "-P", Path.Combine(lab.Directory, $"{router.Host.Name}-miniupnpd.pid")]);
    }
}
