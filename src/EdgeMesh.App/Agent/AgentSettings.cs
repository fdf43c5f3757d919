using System.Net;
using EdgeMesh.App.Settings;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Proxy;

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
        "kube-api", "URL|auto", "Services come from this API without credentials, such as KubeEdge's MetaServer http://127.0.0.1:10550; auto: whichever answers.");

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

    public static readonly Setting DnsListen = Setting.List("dns.listen", "ADDRESS[:PORT]", "Where DNS listens (default 169.254.96.16:53).");
    public static readonly Setting DnsClusterDomain = Setting.Text("dns.clusterDomain", "DOMAIN", "Cluster domain (default cluster.local).");
    public static readonly Setting DnsAliasZone = Setting.Text(
        "dns.aliasZone", "DOMAIN", "Zone of SERVICE[.NAMESPACE].DOMAIN names (default cluster.local.service; empty: none).");

    public static readonly Setting DnsUpstream = Setting.List(
        "dns.upstream", "ADDRESS[:PORT]", "Server for all other names (default: those of /etc/resolv.conf).");

    public static readonly Setting ServiceCidr = Setting.Text(
        "proxy.serviceCidr", "CIDR", "The cluster's Service network (default: derived from the Services).");

    public static readonly Setting RoutableCidr = Setting.List(
        "proxy.routableCidr", "CIDR", "Pod networks the kernel reaches by itself; give it again for more.");

    public static readonly Setting FilterMode = Setting.Text(
        "proxy.filterMode", "MODE",
        "Label service.edgemesh.kubeedge.io/service-proxy-name: FilterIfLabelExists (default) leaves such Services alone, FilterIfLabelDoesNotExists serves only those.");

    public static readonly IReadOnlyList<Setting> All =
    [
        NodeName, StateDir, Server, TokenFile, Manifests, KubeconfigFile, InCluster, KubeApi, KubeApiCa, KeepRules, Cleanup,
        TunnelPort, TunnelDirect, TunnelPortMapping, TunnelGuessPorts, DnsListen, DnsClusterDomain, DnsAliasZone, DnsUpstream, ServiceCidr, RoutableCidr, FilterMode,
        CommonSettings.MetricsListen, CommonSettings.LogLevel, CommonSettings.LogFormat,
    ];

    /// <param name="values">What was given.</param>
    /// <param name="requireAll">False where a part is read: <c>config check</c>, as flags may give the rest.</param>
    public static AgentOptions Read(SettingValues values, bool requireAll)
    {
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
            DnsListen = values.Has(DnsListen)
                ? values.EndPoints(DnsListen, MeshDefaults.MeshAddress, 53)
                : [new IPEndPoint(MeshDefaults.MeshAddress, 53)],
            DnsClusterDomain = Domain(values, DnsClusterDomain, "cluster.local", mayBeEmpty: false),
            DnsAliasZone = Domain(values, DnsAliasZone, "cluster.local.service", mayBeEmpty: true),
            DnsUpstreams = values.EndPoints(DnsUpstream, IPAddress.Loopback, 53),
            ServiceCidr = values.Networks(ServiceCidr) is [var cidr, ..] ? cidr : null,
            RoutableCidrs = values.Networks(RoutableCidr),
            FilterMode = values.OneOf(
                FilterMode,
                ServiceFilterMode.FilterIfLabelExists,
                ("FilterIfLabelExists", ServiceFilterMode.FilterIfLabelExists),
                ("FilterIfLabelDoesNotExists", ServiceFilterMode.FilterIfLabelDoesNotExists)),
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
        values.Has(KubeconfigFile) || values.Switch(InCluster) || values.Has(KubeApi)
            ? new KubeOptions
            {
                Kubeconfig = values.Text(KubeconfigFile),
                InCluster = values.Switch(InCluster),
                Api = values.Text(KubeApi),
                ApiAuthority = values.Text(KubeApiCa),
            }
            : null;

    private static void RequireOneSource(SettingValues values, AgentOptions options, bool requireAll)
    {
        const string All = "--manifests DIR, --kubeconfig FILE, --in-cluster or --kube-api URL";
        int count = (options.Manifests is null ? 0 : 1) + (values.Has(KubeconfigFile) ? 1 : 0) + (values.Switch(InCluster) ? 1 : 0) + (values.Has(KubeApi) ? 1 : 0);
        if (count > 1 || (count == 0 && requireAll))
        {
            throw new MeshException(MeshExit.Usage, count == 0
                ? $"the agent is not told where Services come from: give one of {All}"
                : $"the agent is told {count} places where Services come from: give only one of {All}");
        }
    }

    private static string Domain(SettingValues values, Setting setting, string otherwise, bool mayBeEmpty)
    {
        string text = (values.Text(setting) ?? otherwise).TrimEnd('.').ToLowerInvariant();
        return DnsName.IsSubdomain(text) || (mayBeEmpty && text.Length == 0)
            ? text
            : throw values.Fault(setting, text, "a domain such as " + otherwise);
    }
}
