using System.Net;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Dns;

internal static partial class DnsLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "DNS answers on {Address} (UDP and TCP)")]
    public static partial void Listening(ILogger log, IPEndPoint address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "DNS cannot listen on {Address} yet ({Reason}); trying again every second")]
    public static partial void ListenLater(ILogger log, IPEndPoint address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "DNS upstream servers: {Servers}")]
    public static partial void Upstreams(ILogger log, string servers);

    [LoggerMessage(Level = LogLevel.Warning, Message = "DNS has no upstream server: only cluster names are answered; add a nameserver to resolv.conf or set dns.upstreams")]
    public static partial void NoUpstreams(ILogger log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "upstream server {Server} is this DNS server itself and is not asked")]
    public static partial void UpstreamIsSelf(ILogger log, IPEndPoint server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "upstream server {Server} sends our questions back to us and is not asked; point it elsewhere")]
    public static partial void UpstreamLoops(ILogger log, IPEndPoint server);

    [LoggerMessage(Level = LogLevel.Debug, Message = "upstream server {Server}: {Reason}")]
    public static partial void UpstreamFailed(ILogger log, IPEndPoint server, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cannot read {Path} ({Reason}); the last upstream servers stay")]
    public static partial void ResolvConfUnreadable(ILogger log, string path, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "DNS cannot mark its upstream sockets ({Reason}): the agent needs CAP_NET_ADMIN")]
    public static partial void MarkRefused(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "DNS listener on {Address} failed")]
    public static partial void ListenerFailed(ILogger log, IPEndPoint address, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "a change of Services was not taken over completely; names of that change may be old")]
    public static partial void ChangeFailed(ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "DNS client {Client}: {Reason}")]
    public static partial void ConnectionEnded(ILogger log, EndPoint? client, string reason);
}
