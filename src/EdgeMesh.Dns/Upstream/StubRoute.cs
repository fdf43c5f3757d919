namespace EdgeMesh.Dns;

/// <summary>A stub domain with the state of its servers.</summary>
internal sealed class StubRoute
{
    private readonly byte[] domain;

    public StubRoute(StubDomain stub, UpstreamSet servers)
    {
        domain = WireName.FromText(stub.Domain);
        Servers = servers;
        servers.Set(stub.Servers);
    }

    public UpstreamSet Servers { get; }

    public int Length => domain.Length;

    public bool Covers(scoped NameView name) => name.IsUnder(domain, out _);
}
