namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Rule sets of others on the node, before or after ours: Services are served as if they were alone.</summary>
public sealed class CoexistenceTests
{
    private const string Mixed = "10.96.0.10:80";
    private const string None = "10.96.0.11:80";

    // The Service's endpoints as kube-proxy sees them, where no packet of this lab comes back from.
    private const string Wrong = "192.0.2.66";

    /// <summary>
    /// What kube-proxy's iptables mode writes for a Service with two endpoints and for one without (k8s.io/kubernetes pkg/proxy/iptables,
    /// as iptables-nft keeps it).
    /// </summary>
    private const string KubeProxyIptables = $$"""
        table ip nat {
          chain KUBE-MARK-MASQ { meta mark set meta mark or 0x4000; }
          chain KUBE-SEP-A { ip saddr {{Wrong}} jump KUBE-MARK-MASQ; meta l4proto tcp dnat to {{Wrong}}:8080; }
          chain KUBE-SEP-B { ip saddr 192.0.2.67 jump KUBE-MARK-MASQ; meta l4proto tcp dnat to 192.0.2.67:8080; }
          chain KUBE-SVC-A {
            ip saddr != 10.244.0.0/16 ip daddr 10.96.0.10 tcp dport 80 jump KUBE-MARK-MASQ
            numgen random mod 2 0 jump KUBE-SEP-A
            jump KUBE-SEP-B
          }
          chain KUBE-NODEPORTS { tcp dport 30080 jump KUBE-SVC-A; }
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
          chain KUBE-SERVICES { ip daddr 10.96.0.11 tcp dport 80 reject; }
          chain KUBE-FORWARD {
            ct state invalid drop
            meta mark and 0x4000 == 0x4000 accept
            ct state related,established accept
          }
          chain INPUT { type filter hook input priority 0; policy accept; ct state new jump KUBE-SERVICES; }
          chain FORWARD { type filter hook forward priority 0; policy accept; jump KUBE-FORWARD; ct state new jump KUBE-SERVICES; }
          chain OUTPUT { type filter hook output priority 0; policy accept; ct state new jump KUBE-SERVICES; }
        }
        """;

    /// <summary>The same by its nftables mode (pkg/proxy/nftables).</summary>
    private const string KubeProxyNftables = $$"""
        table ip kube-proxy {
          set cluster-ips { type ipv4_addr; elements = { 10.96.0.10, 10.96.0.11 } }
          map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.0.11 . tcp . 80 : goto reject-chain } }
          map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.0.10 . tcp . 80 : goto service-A } }
          chain reject-chain { reject; }
          chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
          chain endpoint-A { ip saddr {{Wrong}} jump mark-for-masquerade; meta l4proto tcp dnat to {{Wrong}}:8080; }
          chain service-A { ip daddr 10.96.0.10 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade; goto endpoint-A; }
          chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
          chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
          chain cluster-ips-check { ip daddr @cluster-ips reject; ip daddr 10.96.0.0/16 drop; }
          chain filter-input { type filter hook input priority -110; policy accept; ct state new jump service-endpoints-check; }
          chain filter-forward { type filter hook forward priority -110; policy accept; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain filter-output { type filter hook output priority -90; policy accept; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain nat-prerouting { type nat hook prerouting priority -100; policy accept; jump services; }
          chain nat-output { type nat hook output priority -100; policy accept; jump services; }
          chain nat-postrouting { type nat hook postrouting priority 100; policy accept; meta mark and 0x4000 != 0 masquerade fully-random; }
        }
        """;

    /// <summary>Docker's: nothing is forwarded but what its bridge sends or asked for (docs.docker.com, packet filtering and firewalls).</summary>
    private const string Docker = """
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
            type filter hook forward priority 0; policy drop;
            jump DOCKER-USER
            oifname "docker0" ct state related,established accept
            oifname "docker0" jump DOCKER
            iifname "docker0" oifname != "docker0" accept
            iifname "docker0" oifname "docker0" accept
          }
        }
        """;

    /// <summary>firewalld with the pods' bridge in a zone that lets them in, as docker arranges it (firewalld.zone(5)).</summary>
    private const string Firewalld = """
        table inet firewalld {
          chain filter_INPUT {
            type filter hook input priority 10; policy accept;
            ct state established,related accept
            iifname "lo" accept
            iifname "docker0" accept
            ct state invalid drop
            reject with icmpx admin-prohibited
          }
          chain filter_FORWARD {
            type filter hook forward priority 10; policy accept;
            ct state established,related accept
            ct status dnat accept
            iifname "docker0" accept
            reject with icmpx admin-prohibited
          }
        }
        """;

    public static TheoryData<string, bool> Others => new()
    {
        { nameof(KubeProxyIptables), true }, { nameof(KubeProxyIptables), false },
        { nameof(KubeProxyNftables), true }, { nameof(KubeProxyNftables), false },
        { nameof(Docker), true }, { nameof(Docker), false },
        { nameof(Firewalld), true }, { nameof(Firewalld), false },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public async Task ServicesAreServedBesideOthersRules(string whose, bool isFirst)
    {
        string rules = whose switch
        {
            nameof(KubeProxyIptables) => KubeProxyIptables,
            nameof(KubeProxyNftables) => KubeProxyNftables,
            nameof(Docker) => Docker,
            _ => Firewalld,
        };
        await using ProxyNet net = await ProxyNet.RaiseAsync();
        string file = Path.Combine(net.Manifests, "foreign.nft");
        await File.WriteAllTextAsync(file, rules);
        await net.ServiceAsync("mixed", "10.96.0.10", "172.17.0.3@edge1", "172.17.0.3@edge2", "172.17.0.3@edge3");
        await net.ServiceAsync("none", "10.96.0.11");
        if (isFirst)
        {
            await net.NftAsync($"-f {file}");
        }

        await net.StartProxyAsync();
        if (!isFirst)
        {
            await net.NftAsync($"-f {file}");
        }

        foreach (string from in (string[])[net.Pod1, net.Node])
        {
            Assert.Equal(["edge2", "edge3", "pod2"], (await ProxyNet.CountAsync(from, "spread", Mixed, "60")).Keys.Order());
            Assert.Equal(["edge2", "edge3", "pod2"], (await ProxyNet.CountAsync(from, "udp-spread", Mixed, "60")).Keys.Order());
            Assert.Equal("refused", await ProxyNet.RunAsync(from, "connect", None));
        }
    }
}
