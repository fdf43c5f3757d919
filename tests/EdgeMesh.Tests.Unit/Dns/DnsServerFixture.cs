using System.Net;
using DnsClient;
using EdgeMesh.Dns;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>A server on loopback over the park, with an upstream that knows one name.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
public sealed class DnsServerFixture : IAsyncLifetime
{
    private readonly SnapshotCell cell = new();
    private readonly DnsService service;

    public DnsServerFixture() => service = new DnsService(
        cell,
        new DnsOptions
        {
            ListenAddresses = [new IPEndPoint(IPAddress.Loopback, 0)],
            Upstreams = [new IPEndPoint(IPAddress.Parse("192.0.2.1"), 53)],

            // All the tests are one client, whose libraries keep idle connections; a fast machine opens a quarter of 256 within the idle time.
            MaxConnections = 4096,
        },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        Upstream);

    internal SnapshotCell Cell => cell;

    public IPEndPoint Address => service.Status.Listening[0];

    public LookupClient Client(bool tcp = false, int payload = 4096) => new(new LookupClientOptions(Address)
    {
        UseCache = false,
        UseTcpOnly = tcp,
        UseTcpFallback = false,
        ThrowDnsErrors = false,
        ExtendedDnsBufferSize = payload,
        Retries = 0,
    });

    public async Task InitializeAsync()
    {
        TestPark.Publish(cell);
        MeshUpdate more = new(cell.Current);
        Conformance.ConformancePark.Add(more);
        cell.Publish(more);
        await service.StartAsync(CancellationToken.None);
        await Eventually.HoldsAsync(() => service.Status.IsSynced);
    }

    public async Task DisposeAsync() => await service.DisposeAsync();

    private static ValueTask<byte[]> Upstream(IPEndPoint server, byte[] query, bool isStream, CancellationToken stop)
    {
        string name = WireName.ToText(query.AsSpan(12));
        return ValueTask.FromResult(name switch
        {
            "www.example.test." => TestPark.Answer(query, 300, "198.51.100.7"),
            "many.example.test." => TestPark.Answer(query, 300, [.. Enumerable.Range(1, 200).Select(i => $"198.51.100.{i}")]),
            _ => TestPark.Missing(query, 60, 30),
        });
    }
}
