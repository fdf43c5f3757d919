using Microsoft.Extensions.Logging;

namespace EdgeMesh.App;

internal static partial class AppLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{Listener} could not accept a connection: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string listener, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "a request at {Listener} failed")]
    public static partial void RequestFailed(ILogger logger, string listener, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "edgemesh {Version} {Role} starts: {What}, {Libraries}, up to {Files} open files")]
    public static partial void Starting(ILogger logger, string version, string role, string what, string libraries, ulong files);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason}")]
    public static partial void ProxyIgnored(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Role} {What} is up after {Milliseconds} ms")]
    public static partial void Started(ILogger logger, string role, string what, long milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Role} {What} stops")]
    public static partial void Stopping(ILogger logger, string role, string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Part} was not stopped within {Seconds} s and is left to the kernel")]
    public static partial void StopTookTooLong(ILogger logger, string part, int seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Part} failed while stopping")]
    public static partial void StopFailed(ILogger logger, string part, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "a change of Services did not reach the proxy completely")]
    public static partial void ClusterDnsFailed(ILogger log, Exception error);
}
