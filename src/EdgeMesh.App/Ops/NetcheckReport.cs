namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh netcheck --json</c>.</summary>
internal sealed record NetcheckReport
{
    public required string Node { get; init; }

    public required int UdpPort { get; init; }

    /// <summary><c>none</c>, <c>endpoint-independent</c>, <c>destination-dependent</c> or <c>unknown</c>.</summary>
    public required string Nat { get; init; }

    /// <summary>At least one server answers over UDP.</summary>
    public required bool Udp { get; init; }

    public required bool Ipv6 { get; init; }

    /// <summary>Such as <c>203.0.113.7:20007 by PCP</c>.</summary>
    public string? MappedPort { get; init; }

    /// <summary>Largest UDP payload that passes every direct path in use; 0 without one.</summary>
    public required int Mtu { get; init; }

    public required IReadOnlyList<string> Addresses { get; init; }

    public required IReadOnlyList<NetcheckServer> Servers { get; init; }

    /// <summary>What to do about what is missing, most useful first.</summary>
    public required IReadOnlyList<string> Advice { get; init; }
}

/// <summary>One server of a <see cref="NetcheckReport"/>.</summary>
internal sealed record NetcheckServer(
    string Server, bool Connected, string Leg, double? RoundTripMs, string? ObservedAddress, IReadOnlyList<NetcheckPort> Tcp, string? Problem);

/// <summary>A TCP port of a server.</summary>
/// <param name="Address">Address and port; through a proxy the server's name and port.</param>
/// <param name="Proxy">The HTTP proxy it was tried through, <c>HOST:PORT</c>, or null.</param>
internal sealed record NetcheckPort(string Address, string? Proxy, double? RoundTripMs, string? Problem);
