using System.Net;
using EdgeMesh.App.Logging;
using EdgeMesh.Server;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Server;

/// <summary>What the operator wrote for a server, parsed.</summary>
internal sealed record ServerHostOptions
{
    public required string StateDirectory { get; init; }

    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    public required IReadOnlyList<string> Advertise { get; init; }

    public IReadOnlyList<IPNetwork> ProxyProtocolFrom { get; init; } = [];

    /// <summary>The mesh's first server, <c>HOST[:PORT]</c>; null where this is the first.</summary>
    public string? Join { get; init; }

    public string? TokenFile { get; init; }

    public int SecondUdpPort { get; init; }

    public required RelayLimits Limits { get; init; }

    public IPEndPoint? MetricsListen { get; init; }

    public LogLevel LogLevel { get; init; }

    public LogFormat LogFormat { get; init; }
}
