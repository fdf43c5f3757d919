namespace EdgeMesh.Lab;

/// <summary>
/// The kinds of NAT as nftables rules. Linux' own masquerade preserves the port and filters by address and port, but maps per
/// connection: with a free port the mapping looks endpoint-independent, which is what most home routers do. The wider kinds
/// remember who sent from which port and let replies from others in.
/// </summary>
internal static class NatRules
{
    public static string Of(NatKind kind) => kind switch
    {
        NatKind.None => "",
        NatKind.FullCone => Cone("iif wan0 meta l4proto udp dnat ip to udp dport map @inside"),
        NatKind.AddressRestricted => Cone("iif wan0 meta l4proto udp ip saddr . udp dport @spoken dnat ip to udp dport map @inside"),
        NatKind.PortRestrictedDrop => Table("masquerade", "drop", ""),
        NatKind.PortRestrictedReject => Table("masquerade", "reject", ""),
        NatKind.Symmetric => Table("masquerade fully-random", "drop", ""),
        NatKind.UdpBlocked => Table("masquerade", "drop", "meta l4proto udp drop"),
        NatKind.Only443 => Table("masquerade", "drop", "iif lan0 tcp dport != 443 drop; iif lan0 meta l4proto != tcp drop"),
        NatKind.OnlyProxy => Table("masquerade", "drop", $"oif wan0 ip saddr & 0.0.0.255 != 0.0.0.{HttpProxyHost.Last} drop"),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string Table(string translation, string unsolicited, string forward) => $$"""
        table ip nat {
          chain postrouting { type nat hook postrouting priority 100; oif wan0 {{translation}}; }
          chain forward { type filter hook forward priority 0; {{(forward.Length > 0 ? forward + ";" : "")}}
            ct state established,related accept; iif wan0 {{unsolicited}}; }
          chain input { type filter hook input priority 0; ct state established,related accept; iif wan0 {{unsolicited}}; }
        }
        """;

    private static string Cone(string prerouting) => $$"""
        table ip nat {
          map inside { type inet_service : ipv4_addr; flags dynamic,timeout; timeout 5m; }
          set spoken { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m; }
          chain mangle { type filter hook forward priority -150;
            oif wan0 meta l4proto udp update @inside { udp sport : ip saddr };
            oif wan0 meta l4proto udp update @spoken { ip daddr . udp sport }; }
          chain prerouting { type nat hook prerouting priority -100; {{prerouting}}; }
          chain postrouting { type nat hook postrouting priority 100; oif wan0 masquerade; }
          chain forward { type filter hook forward priority 0; ct state established,related,new ct status dnat accept;
            ct state established,related accept; iif wan0 drop; }
          chain input { type filter hook input priority 0; ct state established,related accept; iif wan0 drop; }
        }
        """;
}
