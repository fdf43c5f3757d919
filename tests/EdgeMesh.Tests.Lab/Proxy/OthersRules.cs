namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>
/// Rule sets that stand on nodes beside ours, as iptables-nft or the programs themselves keep them, for a node with Services 10.96.0.10:80
/// (node port 30080; endpoints on this and other nodes) and 10.96.0.11:80 (no endpoint).
/// </summary>
internal static class OthersRules
{
    // The Service's endpoints as kube-proxy sees them, where no packet of this lab comes back from.
    private const string Wrong = "192.0.2.66";

    /// <summary>kube-proxy's iptables mode (k8s.io/kubernetes pkg/proxy/iptables): a Service with two endpoints, one without, a node port.</summary>
    public const string KubeProxyIptables = $$"""
        table ip nat {
          chain KUBE-MARK-MASQ { meta mark set meta mark or 0x4000; }
          chain KUBE-SEP-A { ip saddr {{Wrong}} jump KUBE-MARK-MASQ; meta l4proto tcp dnat to {{Wrong}}:8080; }
          chain KUBE-SEP-B { ip saddr 192.0.2.67 jump KUBE-MARK-MASQ; meta l4proto tcp dnat to 192.0.2.67:8080; }
          chain KUBE-SVC-A {
            ip saddr != 10.244.0.0/16 ip daddr 10.96.0.10 tcp dport 80 jump KUBE-MARK-MASQ
            numgen random mod 2 0 jump KUBE-SEP-A
            jump KUBE-SEP-B
          }
          chain KUBE-EXT-A { jump KUBE-MARK-MASQ; jump KUBE-SVC-A; }
          chain KUBE-NODEPORTS { tcp dport 30080 jump KUBE-EXT-A; }
          chain KUBE-SERVICES {
            ip daddr 10.96.0.10 tcp dport 80 jump KUBE-SVC-A
            fib daddr type local jump KUBE-NODEPORTS
          }
          chain KUBE-POSTROUTING {
            meta mark and 0x4000 != 0x4000 return
            meta mark set meta mark xor 0x4000
            masquerade fully-random
          }
          chain PREROUTING { type nat hook prerouting priority -100; policy accept; jump KUBE-SERVICES; }
          chain OUTPUT { type nat hook output priority -100; policy accept; jump KUBE-SERVICES; }
          chain POSTROUTING { type nat hook postrouting priority 100; policy accept; jump KUBE-POSTROUTING; }
        }
        table ip filter {
          chain KUBE-PROXY-FIREWALL { ip daddr 203.0.113.66 tcp dport 80 drop; }
          chain KUBE-NODEPORTS { tcp dport 32086 accept; }
          chain KUBE-EXTERNAL-SERVICES { ip daddr 203.0.113.67 tcp dport 80 reject; }
          chain KUBE-SERVICES { ip daddr 10.96.0.11 tcp dport 80 reject; }
          chain KUBE-FIREWALL { ip saddr != 127.0.0.0/8 ip daddr 127.0.0.0/8 ct status and 0x23 == 0 drop; }
          chain KUBE-FORWARD {
            ct state invalid drop
            meta mark and 0x4000 == 0x4000 accept
            ct state related,established accept
          }
          chain INPUT {
            type filter hook input priority 0; policy accept
            ct state new jump KUBE-PROXY-FIREWALL
            jump KUBE-NODEPORTS
            ct state new jump KUBE-EXTERNAL-SERVICES
            ct state new jump KUBE-SERVICES
            jump KUBE-FIREWALL
          }
          chain FORWARD {
            type filter hook forward priority 0; policy accept
            ct state new jump KUBE-PROXY-FIREWALL
            jump KUBE-FORWARD
            ct state new jump KUBE-SERVICES
            ct state new jump KUBE-EXTERNAL-SERVICES
          }
          chain OUTPUT {
            type filter hook output priority 0; policy accept
            ct state new jump KUBE-PROXY-FIREWALL
            ct state new jump KUBE-SERVICES
            jump KUBE-FIREWALL
          }
        }
        """;

    /// <summary>The same by its nftables mode (pkg/proxy/nftables, the hooks and checks of its proxier_test.go).</summary>
    public const string KubeProxyNftables = $$"""
        table ip kube-proxy {
          set cluster-ips { type ipv4_addr; elements = { 10.96.0.10, 10.96.0.11 } }
          set nodeport-ips { type ipv4_addr; elements = { 10.99.0.1 } }
          map firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 203.0.113.66 . tcp . 80 : drop } }
          map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.0.11 . tcp . 80 : goto reject-chain } }
          map no-endpoint-nodeports { type inet_proto . inet_service : verdict; }
          map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.0.10 . tcp . 80 : goto service-A } }
          map service-nodeports { type inet_proto . inet_service : verdict; elements = { tcp . 30080 : goto external-A } }
          chain reject-chain { reject; }
          chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
          chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000; masquerade fully-random; }
          chain endpoint-A { ip saddr {{Wrong}} jump mark-for-masquerade; meta l4proto tcp dnat to {{Wrong}}:8080; }
          chain service-A { ip daddr 10.96.0.10 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade; numgen random mod 1 vmap { 0 : goto endpoint-A }; }
          chain external-A { jump mark-for-masquerade; goto service-A; }
          chain services {
            ip daddr . meta l4proto . th dport vmap @service-ips
            ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
          }
          chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
          chain nodeport-endpoints-check { ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports; }
          chain cluster-ips-check { ip daddr @cluster-ips reject; ip daddr { 10.96.0.0/16 } drop; }
          chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }
          chain filter-prerouting-pre-dnat { type filter hook prerouting priority -110; ct state new jump firewall-check; }
          chain filter-output-pre-dnat { type filter hook output priority -110; ct state new jump firewall-check; }
          chain filter-input { type filter hook input priority 0; ct state new jump nodeport-endpoints-check; ct state new jump service-endpoints-check; }
          chain filter-forward { type filter hook forward priority 0; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain filter-output { type filter hook output priority 0; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
          chain nat-output { type nat hook output priority -100; jump services; }
          chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
        }
        """;

    /// <summary>Docker's: nothing is forwarded but what its bridge sends or asked for (docs.docker.com, packet filtering and firewalls).</summary>
    public const string Docker = """
        table ip nat {
          chain DOCKER { iifname "docker0" return; }
          chain PREROUTING { type nat hook prerouting priority -100; policy accept; fib daddr type local jump DOCKER; }
          chain OUTPUT { type nat hook output priority -100; policy accept; ip daddr != 127.0.0.0/8 fib daddr type local jump DOCKER; }
          chain POSTROUTING { type nat hook postrouting priority 100; policy accept; ip saddr 172.17.0.0/16 oifname != "docker0" masquerade; }
        }
        table ip filter {
          chain DOCKER-USER { return; }
          chain DOCKER { iifname != "docker0" oifname "docker0" drop; }
          chain FORWARD {
            type filter hook forward priority 0; policy drop
            jump DOCKER-USER
            oifname "docker0" ct state related,established accept
            oifname "docker0" jump DOCKER
            iifname "docker0" oifname != "docker0" accept
            iifname "docker0" oifname "docker0" accept
          }
        }
        """;

    /// <summary>firewalld that knows nothing of the pods' bridge: translated connections pass, all else is rejected (firewalld's core/nftables.py).</summary>
    public const string Firewalld = """
        table inet firewalld {
          chain filter_IN_public { tcp dport 22 accept; }
          chain filter_INPUT_ZONES { iifname "br-up" goto filter_IN_public; goto filter_IN_public; }
          chain filter_INPUT {
            type filter hook input priority 10; policy accept
            ct state established,related accept
            ct status dnat accept
            iifname "lo" accept
            jump filter_INPUT_ZONES
            ct state invalid drop
            reject with icmpx admin-prohibited
          }
          chain filter_FORWARD {
            type filter hook forward priority 10; policy accept
            ct state established,related accept
            ct status dnat accept
            iifname "lo" accept
            ct state invalid drop
            reject with icmpx admin-prohibited
          }
          chain filter_OUTPUT { type filter hook output priority 10; policy accept; oifname "lo" accept; }
        }
        """;

    /// <summary>ufw with the pods' bridge allowed in; its policies drop the rest (ufw-framework(8)).</summary>
    public const string Ufw = """
        table ip filter {
          chain ufw-user-input { iifname "docker0" accept; tcp dport 30080 accept; tcp dport 22 accept; }
          chain ufw-before-input {
            iifname "lo" accept
            ct state related,established accept
            ct state invalid drop
            jump ufw-user-input
          }
          chain ufw-before-forward { ct state related,established accept; iifname "docker0" accept; ct status dnat accept; }
          chain INPUT { type filter hook input priority 0; policy drop; jump ufw-before-input; }
          chain FORWARD { type filter hook forward priority 0; policy drop; jump ufw-before-forward; }
          chain OUTPUT { type filter hook output priority 0; policy accept; }
        }
        """;

    /// <summary>flannel's masquerade and forward chains (pkg/trafficmngr/iptables) for pods 172.17.0.0/16 of a cluster network 172.16.0.0/12.</summary>
    public const string Flannel = """
        table ip nat {
          chain FLANNEL-POSTRTG {
            meta mark and 0x4000 == 0x4000 return
            ip saddr 172.17.0.0/16 ip daddr 172.16.0.0/12 return
            ip saddr 172.16.0.0/12 ip daddr 172.17.0.0/16 return
            ip saddr != 172.16.0.0/12 ip daddr 172.17.0.0/16 return
            ip saddr 172.16.0.0/12 ip daddr != 224.0.0.0/4 masquerade fully-random
            ip saddr != 172.16.0.0/12 ip daddr 172.16.0.0/12 masquerade fully-random
          }
          chain POSTROUTING { type nat hook postrouting priority 100; policy accept; jump FLANNEL-POSTRTG; }
        }
        table ip filter {
          chain FLANNEL-FWD { ip saddr 172.16.0.0/12 accept; ip daddr 172.16.0.0/12 accept; }
          chain FORWARD { type filter hook forward priority 0; policy drop; jump FLANNEL-FWD; }
        }
        """;

    /// <summary>
    /// Calico's Felix (docs.tigera.io, and its felix/rules): marks in the upper half that it clears and reads, workload interfaces (here the
    /// pods' bridge) that may speak to the host, masquerade for what leaves the pools.
    /// </summary>
    public const string Calico = """
        table ip raw {
          chain cali-PREROUTING {
            meta mark set meta mark and 0xfff0ffff
            iifname "docker0" meta mark set meta mark or 0x40000
            meta mark and 0x40000 == 0x0 fib saddr . iif oif missing drop
          }
          chain cali-OUTPUT { meta mark set meta mark and 0xfff0ffff; }
          chain PREROUTING { type filter hook prerouting priority -300; policy accept; jump cali-PREROUTING; }
          chain OUTPUT { type filter hook output priority -300; policy accept; jump cali-OUTPUT; }
        }
        table ip mangle {
          chain cali-PREROUTING { ct state related,established accept; meta mark and 0x10000 == 0x10000 accept; }
          chain PREROUTING { type filter hook prerouting priority -150; policy accept; jump cali-PREROUTING; }
        }
        table ip filter {
          chain cali-wl { ct state related,established accept; ct state invalid drop; meta mark set meta mark or 0x10000; meta mark and 0x10000 == 0x10000 return; drop; }
          chain cali-FORWARD {
            meta mark set meta mark and 0xfff1ffff
            iifname "docker0" jump cali-wl
            oifname "docker0" jump cali-wl
          }
          chain cali-wl-to-host { jump cali-wl; accept; }
          chain cali-INPUT { iifname "docker0" goto cali-wl-to-host; meta mark and 0x10000 == 0x10000 accept; }
          chain INPUT { type filter hook input priority 0; policy accept; jump cali-INPUT; }
          chain FORWARD {
            type filter hook forward priority 0; policy accept
            jump cali-FORWARD
            meta mark and 0x10000 == 0x10000 accept
          }
        }
        table ip nat {
          set cali40masq-ipam-pools { type ipv4_addr; flags interval; elements = { 172.17.0.0/16 } }
          set cali40all-ipam-pools { type ipv4_addr; flags interval; elements = { 172.17.0.0/16 } }
          chain cali-nat-outgoing { ip saddr @cali40masq-ipam-pools ip daddr != @cali40all-ipam-pools masquerade fully-random; }
          chain POSTROUTING { type nat hook postrouting priority 100; policy accept; jump cali-nat-outgoing; }
        }
        """;

    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["kube-proxy iptables"] = KubeProxyIptables,
        ["kube-proxy nftables"] = KubeProxyNftables,
        ["docker"] = Docker,
        ["firewalld"] = Firewalld,
        ["ufw"] = Ufw,
        ["flannel"] = Flannel,
        ["calico"] = Calico,
        ["docker, kube-proxy iptables and flannel"] = Docker + "\n" + KubeProxyIptables + "\n" + Flannel.Replace("policy drop; jump", "policy accept; jump", StringComparison.Ordinal),
    };
}
