namespace EdgeMesh.Dns;

/// <summary>Core and resolver together, for the listeners.</summary>
internal sealed class DnsEngine(DnsCore core, Resolver resolver, DnsClock clock)
{
    /// <summary>Answers from what is known; never waits.</summary>
    public DnsReply Handle(ReadOnlySpan<byte> query, Span<byte> output, bool isStream) =>
        core.Handle(query, output, isStream, clock.Now);

    /// <summary>The rest of the way for a query whose <see cref="Handle"/> said <see cref="DnsOutcome.Ask"/>.</summary>
    /// <param name="query">The client's query.</param>
    /// <param name="key">The question to ask upstream.</param>
    /// <param name="output">Room for the answer.</param>
    /// <param name="isStream">TCP.</param>
    public async ValueTask<DnsReply> FinishAsync(ReadOnlyMemory<byte> query, byte[] key, Memory<byte> output, bool isStream)
    {
        Fetched fetched = await resolver.AskAsync(key).ConfigureAwait(false);
        DnsReply reply = core.Handle(query.Span, output.Span, isStream, clock.Now, fetched);

        // The cluster may have changed meanwhile, so that the name leads elsewhere: the client asks again.
        return reply.Outcome == DnsOutcome.Ask ? new DnsReply(DnsOutcome.Silence, 0) : reply;
    }
}
