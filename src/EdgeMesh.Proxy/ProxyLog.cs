using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Proxy;

internal static partial class ProxyLog
{
    [LoggerMessage(1, LogLevel.Information, "proxy started: device {Device} with {Address}, TCP forwarder on port {Port}")]
    public static partial void Started(ILogger log, string device, IPAddress address, int port);

    [LoggerMessage(2, LogLevel.Information, "rules written: {Services} Services, {Elements} elements, {Milliseconds} ms")]
    public static partial void Synced(ILogger log, int services, int elements, long milliseconds);

    [LoggerMessage(3, LogLevel.Debug, "rules changed for {Services} Services, {Milliseconds} ms")]
    public static partial void Changed(ILogger log, int services, long milliseconds);

    [LoggerMessage(4, LogLevel.Warning, "{What} was changed by somebody else; repairing")]
    public static partial void Repairing(ILogger log, string what);

    [LoggerMessage(5, LogLevel.Error, "the kernel refused the rules ({Reason}); trying again with a full sync")]
    public static partial void RulesRefused(ILogger log, string reason);

    [LoggerMessage(6, LogLevel.Warning, "clusterIP {Address} of {Service} belongs to {Owner}; {Service} is not served until that changes")]
    public static partial void AddressTaken(ILogger log, IPAddress address, ServiceName service, ServiceName owner);

    [LoggerMessage(7, LogLevel.Warning, "route to a clusterIP refused ({Reason}): host processes may not reach Services")]
    public static partial void RouteRefused(ILogger log, string reason);

    [LoggerMessage(8, LogLevel.Warning, "net.ipv4.ip_forward is 0: pods reach endpoints of this node only through the agent's arm; container runtimes usually set it")]
    public static partial void NotForwarding(ILogger log);

    [LoggerMessage(9, LogLevel.Debug, "{Client} to {Port}: {Endpoint} on {Node} gave {Status}")]
    public static partial void AttemptFailed(ILogger log, EndPoint? client, PortKey port, IPEndPoint endpoint, NodeName? node, DialStatus status);

    [LoggerMessage(10, LogLevel.Debug, "{Client}: {Destination} is no Service, reset")]
    public static partial void NoService(ILogger log, EndPoint? client, string destination);

    [LoggerMessage(11, LogLevel.Warning, "near the file limit ({Limit}): new connections are reset; raise LimitNOFILE")]
    public static partial void FileLimit(ILogger log, int limit);

    [LoggerMessage(12, LogLevel.Warning, "no UDP socket for {Port} ({Reason}): its remote endpoints are refused")]
    public static partial void NoUdpSocket(ILogger log, PortKey port, string reason);

    [LoggerMessage(13, LogLevel.Warning, "conntrack is not installed: UDP clients stay with a removed endpoint until they pause (apt-get install conntrack)")]
    public static partial void NoConntrack(ILogger log);

    [LoggerMessage(14, LogLevel.Warning, "the kernel's {What} notifications cannot be heard; checking each second instead")]
    public static partial void NoNotifications(ILogger log, string what);

    [LoggerMessage(15, LogLevel.Error, "proxy: {What} failed")]
    public static partial void Failed(ILogger log, Exception error, string what);

    [LoggerMessage(16, LogLevel.Information, "proxy stopped; rules, device and routes {Fate}")]
    public static partial void Stopped(ILogger log, string fate);

    [LoggerMessage(17, LogLevel.Debug, "{Count} stale UDP conntrack entries deleted")]
    public static partial void Swept(ILogger log, int count);

    [LoggerMessage(18, LogLevel.Warning, "{Port} of {Service} belongs to {Owner}: it is not served for {Service} until that changes")]
    public static partial void PortTaken(ILogger log, PortKey port, ServiceName service, ServiceName owner);

    [LoggerMessage(19, LogLevel.Warning, "healthCheckNodePort {Port} of {Service} cannot be listened on ({Reason}): a load balancer will leave this node out")]
    public static partial void NoHealthPort(ILogger log, int port, ServiceName service, string reason);
}
