using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel;

internal static partial class TunnelLog
{
    [LoggerMessage(1, LogLevel.Information, "node {Node} enrolled at {Server}; certificate until {NotAfter:u}")]
    public static partial void Enrolled(ILogger log, string node, string server, DateTimeOffset notAfter);

    [LoggerMessage(2, LogLevel.Information, "certificate renewed at {Server}, until {NotAfter:u}")]
    public static partial void Renewed(ILogger log, string server, DateTimeOffset notAfter);

    [LoggerMessage(3, LogLevel.Warning, "certificate (until {NotAfter:u}) could not be renewed, trying again: {Why}")]
    public static partial void RenewalFailed(ILogger log, DateTimeOffset notAfter, string why);

    [LoggerMessage(4, LogLevel.Warning, "{File} cannot be written: {Why}")]
    public static partial void FileFailed(ILogger log, string file, string why);

    [LoggerMessage(10, LogLevel.Information, "server {Server}: connected to {Address}, round trip {RoundTrip:0.0} ms")]
    public static partial void ServerConnected(ILogger log, string server, string address, double roundTrip);

    [LoggerMessage(11, LogLevel.Warning, "server {Server}: not reached, trying on: {Why}")]
    public static partial void ServerUnreachable(ILogger log, string server, string why);

    [LoggerMessage(12, LogLevel.Warning, "server {Server}: connection lost: {Why}")]
    public static partial void ServerLost(ILogger log, string server, string why);

    [LoggerMessage(13, LogLevel.Information, "server {Server}: UDP works, seen as {Observed}")]
    public static partial void UdpBound(ILogger log, string server, string observed);

    [LoggerMessage(14, LogLevel.Warning, "server {Server}: UDP gets no answer, relaying over TLS")]
    public static partial void UdpUnbound(ILogger log, string server);

    [LoggerMessage(15, LogLevel.Warning, "server {Server}: another agent has connected as this node; is one key in use twice?")]
    public static partial void ServerReplaced(ILogger log, string server);

    [LoggerMessage(16, LogLevel.Information, "server {Server}: {Message}")]
    public static partial void ServerSays(ILogger log, string server, string message);

    [LoggerMessage(20, LogLevel.Information, "peer {Peer}: connected, {Path}")]
    public static partial void PeerConnected(ILogger log, string peer, string path);

    [LoggerMessage(21, LogLevel.Information, "peer {Peer}: disconnected: {Why}")]
    public static partial void PeerDisconnected(ILogger log, string peer, string why);

    [LoggerMessage(22, LogLevel.Information, "peer {Peer}: {Before} -> {After}: {Why}")]
    public static partial void PathChanged(ILogger log, string peer, PathKind before, PathKind after, string why);

    [LoggerMessage(23, LogLevel.Debug, "peer {Peer}: dial failed: {Why}")]
    public static partial void DialFailed(ILogger log, string peer, string why);

    [LoggerMessage(24, LogLevel.Warning, "peer {Peer}: connection refused: {Why}")]
    public static partial void PeerRefused(ILogger log, string peer, string why);

    [LoggerMessage(25, LogLevel.Information, "peer {Peer}: has restarted")]
    public static partial void PeerRestarted(ILogger log, string peer);

    [LoggerMessage(30, LogLevel.Information, "tunnel of {Node} on UDP {Port}, {Libraries}")]
    public static partial void Started(ILogger log, string node, int port, string libraries);

    [LoggerMessage(31, LogLevel.Information, "UDP port {Port} is taken, using {Chosen}")]
    public static partial void PortTaken(ILogger log, int port, int chosen);

    [LoggerMessage(32, LogLevel.Information, "this node's addresses: {Candidates}")]
    public static partial void Candidates(ILogger log, string candidates);

    [LoggerMessage(34, LogLevel.Information, "UDP port {Port} is mapped to {External} by {Protocol}")]
    public static partial void PortMapped(ILogger log, int port, string external, string protocol);

    [LoggerMessage(35, LogLevel.Information, "UDP port {Port} is no longer mapped by the router")]
    public static partial void PortUnmapped(ILogger log, int port);

    [LoggerMessage(36, LogLevel.Information, "peer {Peer}: {Why}; guessing, {Sockets} sockets")]
    public static partial void GuessBegins(ILogger log, string peer, int sockets, string why);

    [LoggerMessage(37, LogLevel.Information, "peer {Peer}: a guessed port was hit after {Milliseconds} ms")]
    public static partial void GuessHit(ILogger log, string peer, long milliseconds);

    [LoggerMessage(38, LogLevel.Information, "peer {Peer}: no guessed port was hit")]
    public static partial void GuessFailed(ILogger log, string peer);

    [LoggerMessage(39, LogLevel.Information, "revocation list {Number} with {Count} certificates, from {Source}")]
    public static partial void RevocationsTaken(ILogger log, uint number, int count, string source);

    [LoggerMessage(40, LogLevel.Warning, "a revocation list from {Source} is not signed by the mesh CA and is ignored")]
    public static partial void RevocationsRefused(ILogger log, string source);

    [LoggerMessage(41, LogLevel.Information, "server {Server} was announced by another one and is used too")]
    public static partial void ServerAnnounced(ILogger log, string server);

    [LoggerMessage(42, LogLevel.Information, "server {Server} is no longer used: {Why}")]
    public static partial void ServerDropped(ILogger log, string server, string why);

    [LoggerMessage(43, LogLevel.Warning, "near the file limit ({Limit}): peers are told that this node is busy; raise LimitNOFILE")]
    public static partial void FilesShort(ILogger log, int limit);

    [LoggerMessage(33, LogLevel.Warning, "datagrams of wire version {Version} dropped, {Count} so far: is a peer or server newer than this agent?")]
    public static partial void ForeignVersion(ILogger log, int version, long count);
}
