using System.Diagnostics.Metrics;

namespace EdgeMesh.Proxy;

internal static class ProxyMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.Proxy");

    public static readonly UpDownCounter<long> TcpOpen = Meter.CreateUpDownCounter<long>(
        "edgemesh_proxy_tcp_open", "{connection}", "TCP connections that the agent carries now");

    public static readonly Counter<long> TcpConnections = Meter.CreateCounter<long>(
        "edgemesh_proxy_tcp_connections", "{connection}", "TCP connections that the agent took, by how they ended (ok, lost, refused, no-service, file-limit)");

    public static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "edgemesh_proxy_retries", "{attempt}", "Attempts on another endpoint after one that promised non-delivery");

    public static readonly Counter<long> Ejections = Meter.CreateCounter<long>(
        "edgemesh_proxy_ejections", "{endpoint}", "Endpoints left out for a moment because they failed");

    public static readonly UpDownCounter<long> UdpFlows = Meter.CreateUpDownCounter<long>(
        "edgemesh_proxy_udp_flows", "{flow}", "UDP flows that the agent carries now");

    public static readonly Counter<long> UdpDatagrams = Meter.CreateCounter<long>(
        "edgemesh_proxy_udp_datagrams", "{datagram}", "UDP datagrams through the agent, by direction");

    public static readonly Counter<long> UdpDropped = Meter.CreateCounter<long>(
        "edgemesh_proxy_udp_dropped", "{datagram}", "UDP datagrams dropped, by reason (flow-limit, no-endpoint, send)");

    public static readonly Counter<long> Transactions = Meter.CreateCounter<long>(
        "edgemesh_proxy_rule_transactions", "{transaction}", "nft transactions, by kind (full, difference)");

    public static readonly Counter<long> RuleFailures = Meter.CreateCounter<long>(
        "edgemesh_proxy_rule_failures", "{transaction}", "nft transactions that the kernel refused");

    public static readonly Counter<long> Repairs = Meter.CreateCounter<long>(
        "edgemesh_proxy_repairs", "{repair}", "Times that somebody else's change to our rules or device was undone");

    public static readonly Histogram<double> SyncSeconds = Meter.CreateHistogram<double>(
        "edgemesh_proxy_sync_seconds", "s", "Time from a change to its rules in the kernel");

    public static readonly UpDownCounter<long> Elements = Meter.CreateUpDownCounter<long>(
        "edgemesh_proxy_rule_elements", "{element}", "Elements in the maps and sets of the table");
}
