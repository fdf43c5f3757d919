using System.Collections.Immutable;

namespace EdgeMesh.Dns;

/// <summary>Whom to ask for a name: the servers of the longest stub domain it lies in, else the upstreams.</summary>
internal sealed class UpstreamRoutes(UpstreamSet upstreams, IEnumerable<StubRoute> stubs)
{
    private readonly ImmutableArray<StubRoute> stubs = [.. stubs.OrderByDescending(stub => stub.Length)];

    public UpstreamSet Default => upstreams;

    /// <summary>All servers, the upstreams first.</summary>
    public IEnumerable<Upstream> Current => All.SelectMany(set => set.Current);

    private IEnumerable<UpstreamSet> All => stubs.Select(stub => stub.Servers).Prepend(upstreams);

    /// <param name="key">A question, see <see cref="QuestionKey"/>.</param>
    public UpstreamSet For(ReadOnlySpan<byte> key)
    {
        if (stubs.IsEmpty)
        {
            return upstreams;
        }

        Span<byte> wire = stackalloc byte[WireName.MaxLength];
        QuestionKey.Name(key).CopyTo(wire);
        NameView name = NameView.Cut(wire[..QuestionKey.Name(key).Length], stackalloc byte[WireName.MaxLabels]);
        foreach (StubRoute stub in stubs)
        {
            if (stub.Covers(name))
            {
                return stub.Servers;
            }
        }

        return upstreams;
    }

    public void ForgetMeasurements()
    {
        foreach (UpstreamSet set in All)
        {
            set.ForgetMeasurements();
        }
    }

    public bool IsLoopProbe(ReadOnlyMemory<byte> name) => All.Any(set => set.IsLoopProbe(name));

    public Task ProbeLoopsAsync(CancellationToken stop) => Task.WhenAll(All.Select(set => set.ProbeLoopsAsync(stop)));
}
