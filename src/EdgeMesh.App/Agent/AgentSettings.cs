using System.Net;
using EdgeMesh.App.Settings;
using EdgeMesh.Dns;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>The options of <c>edgemesh agent</c>.</summary>
internal static class AgentSettings
{
    public static readonly Setting NodeName = Setting.Text("node-name", "NAME", "This node's name in Kubernetes.");
    public static readonly Setting StateDir = Setting.Text(
        "state-dir", "DIR", $"Where the agent keeps key, certificate and socket (default {CommonSettings.AgentStateDirectory}).");

    public static readonly Setting Server = Setting.List("server", "HOST[:PORT]", "An EdgeMesh server; give it again for more (at most 8).");
    public static readonly Setting TokenFile = Setting.Text(
        "token-file", "FILE", "Join token, needed until the node has a certificate; or in the environment as EDGEMESH_TOKEN.");

    public static readonly Setting Manifests = Setting.Text(
        "manifests", "DIR", "Folder of Kubernetes YAML (Node, Service, EndpointSlice), watched.");

    public static readonly Setting KubeconfigFile = Setting.Text(
        "kubeconfig", "FILE", "Services come from the Kubernetes API that this file's current context names.");

    public static readonly Setting InCluster = Setting.Switch(
        "in-cluster", "Services come from the API of the cluster this pod runs in, with its ServiceAccount.");

    public static readonly Setting KubeApi = Setting.Text(
        "kube-api", "URL", "Services come from this API without credentials, such as KubeEdge's MetaServer http://127.0.0.1:10550.");

    public static readonly Setting KubeAuto = Setting.Text(
        "kube", "auto", "Services come from whichever Kubernetes API answers: the cluster's own in a pod, the MetaServer, the default kubeconfig.");

    public static readonly Setting KubeApiCa = Setting.Text("kube-api-ca", "FILE", "Certificate authority (PEM) of an https --kube-api.");

    public static readonly Setting KeepRules = Setting.Switch("keep-rules", "Leave the kernel's rules up when the agent stops.");
    public static readonly Setting Cleanup = Setting.Switch("cleanup", "Remove rules, device and routes that an agent left, and exit.");
    public static readonly Setting TunnelPort = Setting.Text(
        "tunnel.port", "PORT", "UDP port of the tunnel (default 20007; any free one if that is taken; 0 for any).");

    public static readonly Setting TunnelDirect = Setting.Text(
        "tunnel.direct", "true|false", "Look for direct paths to peers (default true); false relays everything.");

    public static readonly Setting TunnelPortMapping = Setting.Text(
        "tunnel.portMapping", "true|false", "Ask the router for a port by PCP, NAT-PMP or UPnP (default true).");

    public static readonly Setting TunnelGuessPorts = Setting.Text(
        "tunnel.guessPorts", "true|false", "Guess ports where a NAT gives every destination another one; false for metered links (default true).");

    public static readonly Setting TunnelHttpProxy = Setting.Text(
        "tunnel.httpProxy", "URL|off", "HTTP proxy asked for a way to servers that nothing else reaches (default: HTTPS_PROXY, NO_PROXY); a password only in --config.");

    public static readonly Setting DnsListen = Setting.List("dns.listen", "ADDRESS[:PORT]", "Where DNS listens (default 169.254.96.16:53).");
    public static readonly Setting DnsClusterDomain = Setting.List(
        "dns.clusterDomain", "DOMAIN", "Cluster domain (default cluster.local); give it again for more.");

    public static readonly Setting DnsAliasZone = Setting.List(
        "dns.aliasZone", "DOMAIN", "Zone of SERVICE[.NAMESPACE].DOMAIN names (default cluster.local.service; empty: none); give it again for more.");

    public static readonly Setting DnsUpstream = Setting.List(
        "dns.upstream", "ADDRESS[:PORT]", "Server for all other names (default: those of /etc/resolv.conf).");

    public static readonly Setting DnsStubDomain = Setting.List(
        "dns.stubDomain", "DOMAIN=ADDRESS[:PORT]", "Servers for the names of one domain; give it again for more.");

    public static readonly Setting DnsRecursionFor = Setting.List(
        "dns.recursionFor", "CIDR", "Clients for whom other names are looked up (default: private addresses; this machine always).");

    public static readonly Setting DnsClientRate = Setting.Text(
        "dns.clientRate", "NUMBER", "Questions a second that one client may cause upstream (default 500; 0: no limit).");

    public static readonly Setting DnsServeCluster = Setting.Text(
        "dns.serveClusterDns", "true|false", "Answer what pods send to port 53 of the cluster's DNS Service here (default true).");

    public static readonly Setting DnsClusterService = Setting.List(
        "dns.clusterService", "NAMESPACE/NAME", "The cluster's DNS Service (default kube-system/kube-dns and kube-system/coredns).");

    public static readonly Setting ServiceCidr = Setting.Text(
        "proxy.serviceCidr", "CIDR", "The cluster's Service network (default: derived from the Services).");

    public static readonly Setting RoutableCidr = Setting.List(
        "proxy.routableCidr", "CIDR", "Pod networks the kernel reaches by itself; give it again for more.");

    public static readonly Setting FilterMode = Setting.Text(
        "proxy.filterMode", "MODE",
        "Label service.edgemesh.kubeedge.io/service-proxy-name: FilterIfLabelExists (default) leaves such Services alone, FilterIfLabelDoesNotExists serves only those.");

    public static readonly Setting ProxyBalancing = Setting.Text(
        "proxy.balancing", "spread|nearest|least-loaded",
        "Which endpoint gets a connection: any alike (default), the nearest by path and round trip, or of two that with fewer open connections.");

    public static readonly IReadOnlyList<Setting> All =
    [
        NodeName, StateDir, Server, TokenFile, Manifests, KubeconfigFile, InCluster, KubeApi, KubeApiCa, KubeAuto, KeepRules, Cleanup,
        TunnelPort, TunnelDirect, TunnelPortMapping, TunnelGuessPorts, TunnelHttpProxy, DnsListen, DnsClusterDomain, DnsAliasZone, DnsUpstream,
        DnsStubDomain, DnsRecursionFor, DnsClientRate, DnsServeCluster, DnsClusterService, ServiceCidr, RoutableCidr, FilterMode, ProxyBalancing,
        CommonSettings.MetricsListen, CommonSettings.LogLevel, CommonSettings.LogFormat,
    ];

    /// <param name="values">What was given.</param>
    /// <param name="requireAll">False where a part is read: <c>config check</c>, as flags may give the rest.</param>
    public static AgentOptions Read(SettingValues values, bool requireAll)
    {
        (HttpProxy? httpProxy, bool noHttpProxy) = HttpProxySource.ReadOption(values, TunnelHttpProxy);
        string? name = requireAll ? values.Required(NodeName, "NAME") : values.Text(NodeName);
        AgentOptions options = new()
        {
            Node = name is null ? default : values.Node(NodeName, name),
            StateDirectory = CommonSettings.ReadStateDirectory(values, StateDir, CommonSettings.AgentStateDirectory),
            Servers = values.Hosts(Server),
            TokenFile = values.Text(TokenFile),
            Manifests = values.Text(Manifests),
            Kube = Kube(values),
            KeepRules = values.Switch(KeepRules),
            MetricsListen = CommonSettings.ReadMetricsListen(values, MeshDefaults.AgentMetricsPort),
            LogLevel = CommonSettings.ReadLogLevel(values),
            LogFormat = CommonSettings.ReadLogFormat(values),
            TunnelPort = values.Int(TunnelPort, MeshDefaults.AgentPort, 0, 65535),
            TunnelDirect = values.OnUnlessOff(TunnelDirect),
            TunnelPortMapping = values.OnUnlessOff(TunnelPortMapping),
            TunnelGuessPorts = values.OnUnlessOff(TunnelGuessPorts),
            HttpProxy = httpProxy,
            NoHttpProxy = noHttpProxy,
            DnsListen = values.Has(DnsListen)
                ? values.EndPoints(DnsListen, MeshDefaults.MeshAddress, 53)
                : [new IPEndPoint(MeshDefaults.MeshAddress, 53)],
            DnsClusterDomains = Domains(values, DnsClusterDomain, "cluster.local", mayBeEmpty: false),
            DnsAliasZones = Domains(values, DnsAliasZone, "cluster.local.service", mayBeEmpty: true),
            DnsStubDomains = StubDomains(values),
            DnsRecursionFor = values.Has(DnsRecursionFor) ? values.Networks(DnsRecursionFor) : null,
            DnsClientRate = values.Int(DnsClientRate, 500, 0, 1_000_000),
            DnsServeCluster = values.OnUnlessOff(DnsServeCluster),
            DnsClusterServices = ClusterServices(values),
            DnsUpstreams = values.EndPoints(DnsUpstream, IPAddress.Loopback, 53),
            ServiceCidr = values.Networks(ServiceCidr) is [var cidr, ..] ? cidr : null,
            RoutableCidrs = values.Networks(RoutableCidr),
            FilterMode = values.OneOf(
                FilterMode,
                ServiceFilterMode.FilterIfLabelExists,
                ("FilterIfLabelExists", ServiceFilterMode.FilterIfLabelExists),
                ("FilterIfLabelDoesNotExists", ServiceFilterMode.FilterIfLabelDoesNotExists)),
            Balancing = values.OneOf(
                ProxyBalancing, Balancing.Spread, ("spread", Balancing.Spread), ("nearest", Balancing.Nearest), ("least-loaded", Balancing.LeastLoaded)),
        };
        if (requireAll && options.Servers.Count == 0)
        {
            values.Required(Server, "HOST[:PORT]");
        }

        RequireOneSource(values, options, requireAll);
        return options.Servers.Count <= 8
            ? options
            : throw values.Fault(Server, $"{options.Servers.Count} servers", "at most 8 servers");
    }

    private static KubeOptions? Kube(SettingValues values) =>
        values.Has(KubeconfigFile) || values.Switch(InCluster) || values.Has(KubeApi) || values.Has(KubeAuto)
            ? new KubeOptions
            {
                Kubeconfig = values.Text(KubeconfigFile),
                InCluster = values.Switch(InCluster),
                Api = values.Has(KubeAuto) ? null : values.Text(KubeApi),
                ApiAuthority = values.Text(KubeApiCa),
            }
            : null;

    private static void RequireOneSource(SettingValues values, AgentOptions options, bool requireAll)
    {
        const string All = "--manifests DIR, --kubeconfig FILE, --in-cluster, --kube-api URL or --kube auto";
        if (values.Has(KubeAuto) && values.Text(KubeAuto) != "auto")
        {
            throw values.Fault(KubeAuto, $"'{values.Text(KubeAuto)}'", "auto; name an API with --kube-api URL");
        }

        int count = (options.Manifests is null ? 0 : 1) + (values.Has(KubeconfigFile) ? 1 : 0) + (values.Switch(InCluster) ? 1 : 0) + (values.Has(KubeApi) ? 1 : 0) + (values.Has(KubeAuto) ? 1 : 0);
        if (count > 1 || (count == 0 && requireAll))
        {
            throw new MeshException(MeshExit.Usage, count == 0
                ? $"the agent is not told where Services come from: give one of {All}"
                : $"the agent is told {count} places where Services come from: give only one of {All}");
        }
    }

    private static List<string> Domains(SettingValues values, Setting setting, string otherwise, bool mayBeEmpty)
    {
        List<string> found = [];
        foreach (string given in values.Has(setting) ? values.List(setting) : [otherwise])
        {
            string text = given.TrimEnd('.').ToLowerInvariant();
            if (DnsName.IsSubdomain(text))
            {
                found.Add(text);
            }
            else if (!mayBeEmpty || text.Length > 0)
            {
                throw values.Fault(setting, text, "a domain such as " + otherwise);
            }
        }

        return found;
    }

    private static IReadOnlyList<StubDomain> StubDomains(SettingValues values)
    {
        Dictionary<string, List<IPEndPoint>> found = new(StringComparer.Ordinal);
        foreach (string text in values.List(DnsStubDomain))
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string domain = (equals < 0 ? text : text[..equals]).TrimEnd('.').ToLowerInvariant();
            if (equals < 0 || !DnsName.IsSubdomain(domain) || !EndPointText.TryParse(text[(equals + 1)..], IPAddress.Loopback, 53, out IPEndPoint? server))
            {
                throw values.Fault(DnsStubDomain, text, "DOMAIN=ADDRESS such as corp.example=10.0.0.53");
            }

            (found.TryGetValue(domain, out List<IPEndPoint>? servers) ? servers : found[domain] = []).Add(server);
        }

        return [.. found.Select(pair => new StubDomain(pair.Key, pair.Value))];
    }

    private static List<ServiceName> ClusterServices(SettingValues values)
    {
        if (!values.Has(DnsClusterService))
        {
            return [new ServiceName("kube-system", "kube-dns"), new ServiceName("kube-system", "coredns")];
        }

        List<ServiceName> found = [];
        foreach (string text in values.List(DnsClusterService))
        {
            string[] parts = text.Split('/');
            found.Add(parts.Length == 2 && DnsName.IsLabel(parts[0]) && DnsName.IsLabel(parts[1])
                ? new ServiceName(parts[0], parts[1])
                : throw values.Fault(DnsClusterService, text, "NAMESPACE/NAME such as kube-system/kube-dns"));
        }

        return found;
    }
}
