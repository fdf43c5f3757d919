using System.Net;

using EdgeMesh.Model;

using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server;

internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information, "serving on {EndPoints}, STUN also on UDP port {SecondPort}; CA {Fingerprint}")]
    public static partial void Serving(ILogger log, string endPoints, int secondPort, string fingerprint);

    [LoggerMessage(2, LogLevel.Information, "node {Node} enrolled from {Address}")]
    public static partial void Enrolled(ILogger log, NodeName node, IPAddress? address);

    [LoggerMessage(3, LogLevel.Information, "certificate of node {Node} renewed")]
    public static partial void Renewed(ILogger log, NodeName node);

    [LoggerMessage(4, LogLevel.Warning, "{Request} from {Address} refused: {Code}: {Message}")]
    public static partial void Refused(ILogger log, string request, IPAddress? address, string code, string message);

    [LoggerMessage(5, LogLevel.Information, "node {Node} connected from {Address}")]
    public static partial void Connected(ILogger log, NodeName node, IPAddress? address);

    [LoggerMessage(6, LogLevel.Information, "node {Node} disconnected: {Reason}")]
    public static partial void Disconnected(ILogger log, NodeName node, string reason);

    [LoggerMessage(7, LogLevel.Warning, "a message in version {Version}, which this server does not speak, was dropped; is one side older than the other?")]
    public static partial void UnknownVersion(ILogger log, int version);

    [LoggerMessage(8, LogLevel.Error, "{Request} failed: {Reason}")]
    public static partial void Failed(ILogger log, string request, string reason);

    [LoggerMessage(9, LogLevel.Information, "revocation {Number}: node {Node}, {Certificates} certificates")]
    public static partial void RevocationSeen(ILogger log, int number, string node, int certificates);

    [LoggerMessage(10, LogLevel.Warning, "the registry could not be checked: {Reason}")]
    public static partial void RegistryUnreadable(ILogger log, string reason);

    [LoggerMessage(11, LogLevel.Information, "the server's certificate is good until {End:u}")]
    public static partial void CertificateTaken(ILogger log, DateTimeOffset end);

    [LoggerMessage(13, LogLevel.Information, "joined the mesh of {First}")]
    public static partial void Joined(ILogger log, string first);

    [LoggerMessage(14, LogLevel.Warning, "the registry of {First} cannot be had, its last copy is in force: {Reason}")]
    public static partial void CopyStale(ILogger log, string first, string reason);

    [LoggerMessage(15, LogLevel.Information, "the copy of {First}'s registry is up to date again")]
    public static partial void CopyUpToDate(ILogger log, string first);

    [LoggerMessage(16, LogLevel.Information, "server {Server} has joined from {Address}")]
    public static partial void ServerJoined(ILogger log, string server, IPAddress? address);

    [LoggerMessage(17, LogLevel.Information, "draining: {Sessions} agents are told to use another server")]
    public static partial void Draining(ILogger log, int sessions);

    [LoggerMessage(18, LogLevel.Warning, "a connection from {Front}, which --proxy-protocol-from names, brings no PROXY header: all agents behind it count as one address; switch the header on there ('proxy_protocol on' in nginx)")]
    public static partial void NoProxyHeader(ILogger log, IPAddress front);

    [LoggerMessage(12, LogLevel.Information, "stopping: {Sessions} agents are told")]
    public static partial void Stopping(ILogger log, int sessions);
}
