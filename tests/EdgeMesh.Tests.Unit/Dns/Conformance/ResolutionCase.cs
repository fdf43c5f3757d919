using DnsClient;

namespace EdgeMesh.Tests.Unit.Dns.Conformance;

/// <summary>A question and what the specification wants: the code, then the answer section, sorted. Its id is in docs/conformance/dns.md.</summary>
internal sealed record ResolutionCase(string Id, string Name, QueryType Type, string Expected)
{
    public static readonly ResolutionCase[] All =
    [
        // The numbers are those of the rules of the specification as the README of the room has them.
        // 1, 2: version, ClusterIP Services
        new("service-1", "dns-version.cluster.local", QueryType.TXT, "NoError TXT 1.1.0"),
        new("service-2", "video.default.svc.cluster.local", QueryType.A, "NoError A 10.96.0.10"),
        new("service-3", "video.default.svc.cluster.local", QueryType.AAAA, "NoError"),
        new("service-4", "video.default.svc.cluster.local", QueryType.MX, "NoError"),
        new("service-5", "parking.shop.svc.cluster.local", QueryType.A, "NoError A 10.96.0.11"),
        new("service-6", "parking.shop.svc.cluster.local", QueryType.AAAA, "NoError AAAA fd00::11"),
        new("service-7", "nothing.default.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("service-8", "video.shop.svc.cluster.local", QueryType.A, "NotExistentDomain"),

        // 3: SRV of named ports
        new("srv-1", "_http._tcp.video.default.svc.cluster.local", QueryType.SRV, "NoError SRV 80 video.default.svc.cluster.local."),
        new("srv-2", "_rtp._udp.video.default.svc.cluster.local", QueryType.SRV, "NoError SRV 5004 video.default.svc.cluster.local."),
        new("srv-3", "_http._udp.video.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("srv-4", "_http._tcp.video.default.svc.cluster.local", QueryType.A, "NoError"),
        new("srv-5", "_tcp.video.default.svc.cluster.local", QueryType.SRV, "NoError"),
        new("srv-6", "_sctp.video.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("srv-7", "_http._tcp.parking.shop.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("srv-8", "http._tcp.video.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),

        // 4: reverse names
        new("ptr-1", "10.0.96.10.in-addr.arpa", QueryType.PTR, "NoError PTR video.default.svc.cluster.local."),
        new("ptr-2", "1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", QueryType.PTR, "NoError PTR parking.shop.svc.cluster.local."),
        new("ptr-3", "2.0.17.172.in-addr.arpa", QueryType.PTR, "NoError PTR db-0.db.default.svc.cluster.local."),
        new("ptr-4", "3.0.17.172.in-addr.arpa", QueryType.PTR, "NoError PTR 172-17-0-3.db.default.svc.cluster.local."),
        new("ptr-5", "9.0.17.172.in-addr.arpa", QueryType.PTR, "NotExistentDomain"),
        new("ptr-6", "10.0.96.10.in-addr.arpa", QueryType.A, "NoError"),

        // 5: headless Services
        new("headless-1", "db.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.2; A 172.17.0.3"),
        new("headless-2", "db.default.svc.cluster.local", QueryType.AAAA, "NoError"),
        new("headless-3", "db-0.db.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.2"),
        new("headless-4", "172-17-0-3.db.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.3"),
        new("headless-5", "172-17-0-2.db.default.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("headless-6", "db-2.db.default.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("headless-7", "empty.default.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("headless-8", "early.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.8"),
        new("headless-9", "_sql._tcp.db.default.svc.cluster.local", QueryType.SRV, "NoError SRV 15432 172-17-0-3.db.default.svc.cluster.local.; SRV 15432 db-0.db.default.svc.cluster.local."),
        new("headless-10", "_sql._tcp.empty.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),

        // 6: ExternalName
        new("external-1", "away.default.svc.cluster.local", QueryType.A, "NoError A 198.51.100.7; CNAME www.example.test."),
        new("external-2", "away.default.svc.cluster.local", QueryType.CNAME, "NoError CNAME www.example.test."),
        new("external-3", "inside.default.svc.cluster.local", QueryType.A, "NoError A 10.96.0.10; CNAME video.default.svc.cluster.local."),
        new("external-4", "ring.default.svc.cluster.local", QueryType.A, "ServerFailure"),
        new("external-5", "broken.default.svc.cluster.local", QueryType.A, "ServerFailure"),
        new("external-6", "deep.away.default.svc.cluster.local", QueryType.A, "NotExistentDomain"),

        // 7: pods
        new("pod-1", "10-1-2-3.shop.pod.cluster.local", QueryType.A, "NoError A 10.1.2.3"),
        new("pod-2", "fd00--5.shop.pod.cluster.local", QueryType.AAAA, "NoError AAAA fd00::5"),
        new("pod-3", "10-1-2-3.shop.pod.cluster.local", QueryType.AAAA, "NoError"),
        new("pod-4", "10-1-2-300.shop.pod.cluster.local", QueryType.A, "NotExistentDomain"),
        new("pod-5", "web.shop.pod.cluster.local", QueryType.A, "NotExistentDomain"),

        // 8: what exists has no NXDOMAIN
        new("exists-1", "cluster.local", QueryType.NS, "NoError NS ns.dns.cluster.local."),
        new("exists-2", "cluster.local", QueryType.SOA, "NoError SOA ns.dns.cluster.local. hostmaster.cluster.local. 5"),
        new("exists-3", "cluster.local", QueryType.A, "NoError"),
        new("exists-4", "ns.dns.cluster.local", QueryType.A, "NoError A 127.0.0.1"),
        new("exists-5", "svc.cluster.local", QueryType.A, "NoError"),
        new("exists-6", "shop.svc.cluster.local", QueryType.A, "NoError"),
        new("exists-7", "nowhere.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("exists-8", "pod.cluster.local", QueryType.A, "NoError"),
        new("exists-9", "other.cluster.local", QueryType.A, "NotExistentDomain"),
        new("exists-10", "a.b.c.d.e.svc.cluster.local", QueryType.A, "NotExistentDomain"),

        // 10: case does not matter
        new("case-1", "ViDeO.DEFAULT.svc.Cluster.LOCAL", QueryType.A, "NoError A 10.96.0.10"),

        // 11: the rest goes upstream
        new("upstream-1", "www.example.test", QueryType.A, "NoError A 198.51.100.7"),
        new("upstream-2", "gone.example.test", QueryType.A, "NotExistentDomain"),
        new("upstream-3", "notcluster.local", QueryType.A, "NotExistentDomain"),

        // 12: the alias zone
        new("alias-1", "video.cluster.local.service", QueryType.A, "NoError A 10.96.0.10"),
        new("alias-2", "video.default.cluster.local.service", QueryType.A, "NoError A 10.96.0.10"),
        new("alias-3", "parking.shop.cluster.local.service", QueryType.AAAA, "NoError AAAA fd00::11"),
        new("alias-4", "parking.cluster.local.service", QueryType.A, "NotExistentDomain"),
        new("alias-5", "shop.cluster.local.service", QueryType.A, "NoError"),
        new("alias-6", "db-0.db.default.cluster.local.service", QueryType.A, "NoError A 172.17.0.2"),
        new("alias-7", "_http._tcp.video.cluster.local.service", QueryType.SRV, "NoError SRV 80 video.default.svc.cluster.local."),
        new("alias-8", "cluster.local.service", QueryType.SOA, "NoError SOA ns.dns.cluster.local. hostmaster.cluster.local. 5"),

        // search path of a pod (ndots:5): the expansions of the alias form stay local
        new("search-1", "video.cluster.local.service.default.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("search-2", "www.example.test.svc.cluster.local", QueryType.A, "NotExistentDomain"),

        // CoreDNS plugin/kubernetes: handler_test.go, handler_pod_*_test.go
        new("cd-a", "svc1.ns1.svc.cluster.local", QueryType.A, "NoError A 10.96.7.1"),
        new("cd-a-empty", "svcempty.ns1.svc.cluster.local", QueryType.A, "NoError A 10.96.7.2"),
        new("cd-aaaa-empty", "svcempty.ns1.svc.cluster.local", QueryType.AAAA, "NoError"),
        new("cd-srv", "_http._tcp.svc1.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 80 svc1.ns1.svc.cluster.local."),
        new("cd-srv-empty", "_http._tcp.svcempty.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 80 svcempty.ns1.svc.cluster.local."),
        new("cd-srv-protocol", "_http._not-udp-or-tcp.svc1.ns1.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("cd-srv-first-port", "_http._tcp.multi.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 80 multi.ns1.svc.cluster.local."),
        new("cd-srv-second-port", "_https._tcp.multi.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 443 multi.ns1.svc.cluster.local."),
        new("cd-srv-udp", "_dns._udp.multi.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 53 multi.ns1.svc.cluster.local."),
        new("cd-srv-tcp", "_dns-tcp._tcp.multi.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 53 multi.ns1.svc.cluster.local."),
        new("cd-srv-other-protocol", "_dns._tcp.multi.ns1.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("cd-srv-case", "_HTTP._Tcp.svc1.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 80 svc1.ns1.svc.cluster.local."),
        new("cd-srv-nowhere", "_http._tcp.svc0.ns1.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("cd-srv-bogus-port", "_bogus._tcp.svc1.ns1.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("cd-a-headless", "hdls1.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.0.2; A 172.18.0.3; A 172.18.0.4; A 172.18.0.5; A 172.18.0.6"),
        new("cd-aaaa-headless", "hdls1.ns1.svc.cluster.local", QueryType.AAAA, "NoError AAAA fd18::1; AAAA fd18::2"),
        new("cd-a-shared-hostname", "dup.hdls1.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.0.4; A 172.18.0.5"),
        new("cd-a-hostname", "five.hdls1.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.0.6"),
        new("cd-aaaa-hostname", "five.hdls1.ns1.svc.cluster.local", QueryType.AAAA, "NoError"),
        new("cd-a-dashed", "172-18-0-2.hdls1.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.0.2"),
        new("cd-aaaa-dashed", "fd18--1.hdls1.ns1.svc.cluster.local", QueryType.AAAA, "NoError AAAA fd18::1"),
        new("cd-a-bogus-endpoint", "bogusendpoint.hdls1.ns1.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("cd-srv-headless", "_http._tcp.hdls1.ns1.svc.cluster.local", QueryType.SRV,
            "NoError SRV 80 172-18-0-2.hdls1.ns1.svc.cluster.local.; SRV 80 172-18-0-3.hdls1.ns1.svc.cluster.local.; SRV 80 dup.hdls1.ns1.svc.cluster.local.; "
            + "SRV 80 fd18--1.hdls1.ns1.svc.cluster.local.; SRV 80 fd18--2.hdls1.ns1.svc.cluster.local.; SRV 80 five.hdls1.ns1.svc.cluster.local."),
        new("cd-srv-headless-bogus", "_bogus._tcp.hdls1.ns1.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("cd-srv-ports-per-slice", "_http._tcp.hdls2.ns1.svc.cluster.local", QueryType.SRV,
            "NoError SRV 8080 172-18-0-40.hdls2.ns1.svc.cluster.local.; SRV 9090 172-18-0-41.hdls2.ns1.svc.cluster.local."),
        new("cd-a-portless", "hdlsprtls.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.0.20"),
        new("cd-aaaa-portless", "172-18-0-20.hdlsprtls.ns1.svc.cluster.local", QueryType.AAAA, "NoError"),
        new("cd-srv-portless", "_http._tcp.hdlsprtls.ns1.svc.cluster.local", QueryType.SRV, "NotExistentDomain"),
        new("cd-a-headless-none", "hdlsnone.ns1.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("cd-a-terminating", "ends.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.0.30"),
        new("cd-cname", "away.default.svc.cluster.local", QueryType.CNAME, "NoError CNAME www.example.test."),
        new("cd-cname-inside", "extsvc.ns1.svc.cluster.local", QueryType.CNAME, "NoError CNAME svc1.ns1.svc.cluster.local."),
        new("cd-cname-inside-a", "extsvc.ns1.svc.cluster.local", QueryType.A, "NoError A 10.96.7.1; CNAME svc1.ns1.svc.cluster.local."),
        new("cd-cname-inside-aaaa", "extsvc.ns1.svc.cluster.local", QueryType.AAAA, "NoError CNAME svc1.ns1.svc.cluster.local."),
        new("cd-cname-missing", "extgone.ns1.svc.cluster.local", QueryType.A, "NotExistentDomain CNAME svc0.ns1.svc.cluster.local."),
        new("cd-aaaa-nodata", "svc1.ns1.svc.cluster.local", QueryType.AAAA, "NoError"),
        new("cd-aaaa-nowhere", "svc0.ns1.svc.cluster.local", QueryType.AAAA, "NotExistentDomain"),
        new("cd-a-nowhere", "svc0.ns1.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("cd-a-no-namespace", "svc0.svc-nons.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("cd-version-a", "dns-version.cluster.local", QueryType.A, "NoError"),
        new("cd-txt-nodata", "svc1.ns1.svc.cluster.local", QueryType.TXT, "NoError"),
        new("cd-txt-nowhere", "svc0.ns1.svc.cluster.local", QueryType.TXT, "NotExistentDomain"),
        new("cd-aaaa-6", "svc6.ns1.svc.cluster.local", QueryType.AAAA, "NoError AAAA fd07::1"),
        new("cd-a-6", "svc6.ns1.svc.cluster.local", QueryType.A, "NoError"),
        new("cd-srv-6", "_http._tcp.svc6.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 80 svc6.ns1.svc.cluster.local."),
        new("cd-dual-a", "dual.ns1.svc.cluster.local", QueryType.A, "NoError A 10.96.7.3"),
        new("cd-dual-aaaa", "dual.ns1.svc.cluster.local", QueryType.AAAA, "NoError AAAA fd07::3"),
        new("cd-dual-srv", "_http._tcp.dual.ns1.svc.cluster.local", QueryType.SRV, "NoError SRV 80 dual.ns1.svc.cluster.local."),
        new("cd-namespace", "ns1.svc.cluster.local", QueryType.A, "NoError"),
        new("cd-namespace-nowhere", "ns-nonexist.svc.cluster.local", QueryType.A, "NotExistentDomain"),
        new("cd-pod-a", "10-240-0-1.ns1.pod.cluster.local", QueryType.A, "NoError A 10.240.0.1"),
        new("cd-pod-txt", "10-240-0-1.ns1.pod.cluster.local", QueryType.TXT, "NoError"),
        new("cd-pod-blah", "blah.ns1.pod.cluster.local", QueryType.A, "NotExistentDomain"),
        new("cd-pod-aaaa", "fd18--1.ns1.pod.cluster.local", QueryType.AAAA, "NoError AAAA fd18::1"),
        new("cd-pod-namespace", "ns1.pod.cluster.local", QueryType.A, "NoError"),
        new("cd-type-loadbalancer", "lb.ns1.svc.cluster.local", QueryType.A, "NoError A 10.96.7.7"),
        new("cd-type-nodeport", "np.ns1.svc.cluster.local", QueryType.A, "NoError A 10.96.7.8"),

        // CoreDNS plugin/kubernetes: kubernetes_apex_test.go
        new("apex-soa", "cluster.local", QueryType.SOA, "NoError SOA ns.dns.cluster.local. hostmaster.cluster.local. 5"),
        new("apex-hinfo", "cluster.local", QueryType.HINFO, "NoError"),
        new("apex-ns", "cluster.local", QueryType.NS, "NoError NS ns.dns.cluster.local."),
        new("apex-aaaa", "cluster.local", QueryType.AAAA, "NoError"),
        new("apex-srv", "cluster.local", QueryType.SRV, "NoError"),
        new("apex-service-soa", "svc1.ns1.svc.cluster.local", QueryType.SOA, "NoError"),
        new("apex-service-ns", "svc1.ns1.svc.cluster.local", QueryType.NS, "NoError"),
        new("apex-dns", "dns.cluster.local", QueryType.A, "NoError"),

        // CoreDNS plugin/kubernetes: reverse_test.go
        new("rev-service", "1.7.96.10.in-addr.arpa", QueryType.PTR, "NoError PTR svc1.ns1.svc.cluster.local."),
        new("rev-service-6", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.0.d.f.ip6.arpa", QueryType.PTR, "NoError PTR svc6.ns1.svc.cluster.local."),
        new("rev-dual-4", "3.7.96.10.in-addr.arpa", QueryType.PTR, "NoError PTR dual.ns1.svc.cluster.local."),
        new("rev-dual-6", "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.0.d.f.ip6.arpa", QueryType.PTR, "NoError PTR dual.ns1.svc.cluster.local."),
        new("rev-endpoint", "6.0.18.172.in-addr.arpa", QueryType.PTR, "NoError PTR five.hdls1.ns1.svc.cluster.local."),
        new("rev-endpoint-dashed", "2.0.18.172.in-addr.arpa", QueryType.PTR, "NoError PTR 172-18-0-2.hdls1.ns1.svc.cluster.local."),
        new("rev-endpoint-6", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.1.d.f.ip6.arpa", QueryType.PTR, "NoError PTR fd18--1.hdls1.ns1.svc.cluster.local."),
        new("rev-nobody", "99.7.96.10.in-addr.arpa", QueryType.PTR, "NotExistentDomain"),
        new("rev-half", "7.96.10.in-addr.arpa", QueryType.PTR, "NotExistentDomain"),
        new("rev-no-address", "example.org.cluster.local", QueryType.PTR, "NotExistentDomain"),
        new("rev-service-name", "svc1.ns1.svc.cluster.local", QueryType.PTR, "NoError"),
        new("rev-outside", "8.8.8.8.in-addr.arpa", QueryType.PTR, "NotExistentDomain"),

        // kubernetes test/e2e/network/dns.go
        new("e2e-cluster", "kubernetes.default.svc.cluster.local", QueryType.A, "NoError A 10.96.0.1"),
        new("e2e-cluster-srv", "_https._tcp.kubernetes.default.svc.cluster.local", QueryType.SRV, "NoError SRV 443 kubernetes.default.svc.cluster.local."),
        new("e2e-headless-srv", "_http._tcp.web.ns1.svc.cluster.local", QueryType.SRV,
            "NoError SRV 80 web-0.web.ns1.svc.cluster.local.; SRV 80 web-1.web.ns1.svc.cluster.local."),
        new("e2e-headless-srv-2", "_admin._tcp.web.ns1.svc.cluster.local", QueryType.SRV,
            "NoError SRV 81 web-0.web.ns1.svc.cluster.local.; SRV 81 web-1.web.ns1.svc.cluster.local."),
        new("e2e-hostname", "web-0.web.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.1.10"),
        new("e2e-hostname-2", "web-1.web.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.1.11"),
        new("e2e-subdomain", "web.ns1.svc.cluster.local", QueryType.A, "NoError A 172.18.1.10; A 172.18.1.11"),
        new("e2e-ptr", "10.1.18.172.in-addr.arpa", QueryType.PTR, "NoError PTR web-0.web.ns1.svc.cluster.local."),
    ];

    public override string ToString() => Id;
}
