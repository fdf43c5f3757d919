using Microsoft.Extensions.Logging;

namespace EdgeMesh.Quic;

internal static partial class QuicLog
{
    [LoggerMessage(1, LogLevel.Error, "an action on the QUIC loop failed")]
    public static partial void LoopActionFailed(ILogger log, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "a QUIC handler failed; its connection is closed")]
    public static partial void HandlerFailed(ILogger log, Exception exception);

    [LoggerMessage(3, LogLevel.Debug, "QUIC connection {Id:x16} ended: {Kind} {Code} {Text}")]
    public static partial void ConnectionEnded(ILogger log, ulong id, QuicCloseKind kind, ulong code, string text);

    [LoggerMessage(4, LogLevel.Debug, "QUIC peer's certificate is not accepted: {Why}")]
    public static partial void CertificateRefused(ILogger log, string why);

    [LoggerMessage(5, LogLevel.Warning, "QUIC connection refused: {Limit} connections are open, the limit")]
    public static partial void TooManyConnections(ILogger log, int limit);
}
