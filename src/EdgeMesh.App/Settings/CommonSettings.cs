using System.Net;
using EdgeMesh.App.Logging;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Settings;

/// <summary>Options that agent and server share.</summary>
internal static class CommonSettings
{
    public const string AgentStateDirectory = "/var/lib/edgemesh/agent";
    public const string ServerStateDirectory = "/var/lib/edgemesh/server";

    public static readonly Setting LogLevel = Setting.Text("log-level", "LEVEL", "debug, info (default), warn or error.");
    public static readonly Setting LogFormat = Setting.Text("log-format", "FORMAT", "text (default) or json, one line an entry on standard error.");
    public static readonly Setting MetricsListen = Setting.Text(
        "metrics-listen", "ADDRESS:PORT", "/metrics, /healthz and /readyz (agent 127.0.0.1:20008, server 127.0.0.1:20009), or 'off'.");

    public static LogLevel ReadLogLevel(SettingValues values) => values.OneOf(
        LogLevel,
        Microsoft.Extensions.Logging.LogLevel.Information,
        ("debug", Microsoft.Extensions.Logging.LogLevel.Debug),
        ("info", Microsoft.Extensions.Logging.LogLevel.Information),
        ("warn", Microsoft.Extensions.Logging.LogLevel.Warning),
        ("error", Microsoft.Extensions.Logging.LogLevel.Error));

    public static LogFormat ReadLogFormat(SettingValues values) => values.OneOf(
        LogFormat, Logging.LogFormat.Text, ("text", Logging.LogFormat.Text), ("json", Logging.LogFormat.Json));

    /// <summary>Null: switched off.</summary>
    public static IPEndPoint? ReadMetricsListen(SettingValues values, int defaultPort) => values.Text(MetricsListen) switch
    {
        null => new IPEndPoint(IPAddress.Loopback, defaultPort),
        "off" => null,
        _ => values.EndPoints(MetricsListen, IPAddress.Loopback, defaultPort)[0],
    };

    /// <summary>An absolute path: what is written there must not depend on where the program was started.</summary>
    public static string ReadStateDirectory(SettingValues values, Setting setting, string otherwise)
    {
        string path = Path.GetFullPath(values.Text(setting) is { Length: > 0 } text ? text : otherwise);
        // sun_path of a Unix socket holds 108 bytes, the socket's own name and a zero included.
        return System.Text.Encoding.UTF8.GetByteCount(path) <= 90
            ? path
            : throw values.Fault(setting, path, "a path of at most 90 bytes, as the operator socket lies in it");
    }
}
