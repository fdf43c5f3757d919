using System.Net;
using EdgeMesh.App.Logging;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;
using EdgeMesh.Server;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Server;

/// <summary>The options of <c>edgemesh server</c>.</summary>
internal static class ServerSettings
{
    public static readonly Setting StateDir = Setting.Text(
        "state-dir", "DIR", $"The server's registry: CA, tokens, nodes (default {CommonSettings.ServerStateDirectory}).");

    public static readonly Setting Listen = Setting.List(
        "listen", "ADDRESS:PORT", "TCP and UDP address for agents (default 0.0.0.0:20006); give it again for more, e.g. ':443'.");

    public static readonly Setting Advertise = Setting.List(
        "advertise", "HOST[:PORT]", "How agents reach this server; give it again for more addresses.");

    public static readonly Setting ProxyProtocolFrom = Setting.List(
        "proxy-protocol-from", "CIDR", "Address of a front on port 443, such as nginx, whose PROXY header tells agents' addresses; give it again for more.");

    public static readonly Setting SecondUdpPort = Setting.Text(
        "second-udp-port", "PORT", "Second UDP port for STUN, which tells NAT mappings apart (default 20016).");

    public static readonly Setting Join = Setting.Text(
        "join", "HOST[:PORT]", "The mesh's first server: copy its registry and relay beside it.");

    public static readonly Setting TokenFile = Setting.Text(
        "token-file", "FILE", "Token of 'token create --for-server', needed until this server has joined; or in the environment as EDGEMESH_TOKEN.");

    public static readonly Setting RelayMaxAgents = Setting.Text(
        "relay.maxAgents", "NUMBER", "Agents connected at once; one more is refused (default 10000).");

    public static readonly Setting RelayAgentRate = Setting.Text(
        "relay.agentRate", "RATE", "What one agent may send through the relay, such as 20Mbit (default off: no limit).");

    public static readonly Setting RelayTotalRate = Setting.Text(
        "relay.totalRate", "RATE", "What all agents may send together, shared fairly, such as 1Gbit (default off: what the machine can do).");

    public static readonly Setting RelayAgentQueue = Setting.Text(
        "relay.agentQueue", "AMOUNT", "What may wait for one agent's WebSocket, then its oldest is dropped (default 512KiB).");

    public static readonly Setting RelayTotalQueue = Setting.Text(
        "relay.totalQueue", "AMOUNT", "What may wait for all of them together (default 128MiB).");

    // The largest frame must fit with some to spare.
    private const long LeastQueue = 64 << 10;

    public static readonly IReadOnlyList<Setting> All =
    [
        StateDir, Listen, Advertise, ProxyProtocolFrom, SecondUdpPort, Join, TokenFile,
        RelayMaxAgents, RelayAgentRate, RelayTotalRate, RelayAgentQueue, RelayTotalQueue,
        CommonSettings.MetricsListen, CommonSettings.LogLevel, CommonSettings.LogFormat,
    ];

    public static ServerHostOptions Read(SettingValues values, bool requireAll)
    {
        if (requireAll && values.List(Advertise).Count == 0)
        {
            values.Required(Advertise, "HOST[:PORT]");
        }

        return new ServerHostOptions
        {
            StateDirectory = CommonSettings.ReadStateDirectory(values, StateDir, CommonSettings.ServerStateDirectory),
            Listen = values.Has(Listen)
                ? values.EndPoints(Listen, IPAddress.Any, MeshDefaults.ServerPort)
                : [new IPEndPoint(IPAddress.Any, MeshDefaults.ServerPort)],
            Advertise = values.Hosts(Advertise),
            ProxyProtocolFrom = values.Networks(ProxyProtocolFrom),
            Join = values.Has(Join) ? values.Hosts(Join)[0] : null,
            TokenFile = values.Text(TokenFile),
            SecondUdpPort = values.Int(SecondUdpPort, MeshDefaults.ServerSecondUdpPort, 0, 65535),
            Limits = ReadLimits(values),
            MetricsListen = CommonSettings.ReadMetricsListen(values, MeshDefaults.ServerMetricsPort),
            LogLevel = CommonSettings.ReadLogLevel(values),
            LogFormat = CommonSettings.ReadLogFormat(values),
        };
    }

    private static RelayLimits ReadLimits(SettingValues values)
    {
        RelayLimits limits = new()
        {
            MaxAgents = values.Int(RelayMaxAgents, RelayLimits.DefaultMaxAgents, 1, 1_000_000),
            AgentRate = values.Rate(RelayAgentRate),
            TotalRate = values.Rate(RelayTotalRate),
            AgentQueue = (int)values.ByteCount(RelayAgentQueue, RelayLimits.DefaultAgentQueue, LeastQueue, 1 << 30),
            TotalQueue = values.ByteCount(RelayTotalQueue, RelayLimits.DefaultTotalQueue, LeastQueue, 1L << 40),
        };
        return limits.AgentRate > limits.TotalRate
            ? throw values.Fault(RelayAgentRate, values.Text(RelayAgentRate)!, $"at most {RelayTotalRate.Flag}, {values.Text(RelayTotalRate)}: one agent is not more than all")
            : limits;
    }
}
