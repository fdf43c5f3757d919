namespace EdgeMesh.Bench;

/// <summary>One round's numbers of a way; NaN where the way has no such number.</summary>
internal sealed record Sample
{
    /// <summary>Gbit/s, one stream, on a pair that was just made.</summary>
    public double Fresh { get; init; } = double.NaN;

    /// <summary>CPU seconds of all carriers per gigabyte, in the same transfer.</summary>
    public double CpuPerGigabyte { get; init; } = double.NaN;

    /// <summary>Gbit/s, eight streams.</summary>
    public double EightStreams { get; init; } = double.NaN;

    /// <summary>Gbit/s, one stream, after 10,000 small requests.</summary>
    public double AfterSmall { get; init; } = double.NaN;

    /// <summary>ms, one keep-alive connection.</summary>
    public double KeepAliveP50 { get; init; } = double.NaN;

    public double KeepAliveP99 { get; init; } = double.NaN;

    /// <summary>Requests per second, one keep-alive connection.</summary>
    public double KeepAliveRate { get; init; } = double.NaN;

    /// <summary>Requests per second, 64 keep-alive connections.</summary>
    public double ManyRate { get; init; } = double.NaN;

    public double ManyP99 { get; init; } = double.NaN;

    /// <summary>New connections per second, 32 at a time, each with one byte there and back.</summary>
    public double ConnectRate { get; init; } = double.NaN;

    public double ConnectP99 { get; init; } = double.NaN;

    /// <summary>ms, 100-byte datagrams at 500 a second.</summary>
    public double UdpP50 { get; init; } = double.NaN;

    /// <summary>Of 3,000 datagrams at 10,000 a second.</summary>
    public double UdpLost { get; init; } = double.NaN;

    /// <summary>Anything that failed which should not; 0 in a good run.</summary>
    public double Failures { get; init; }
}
