using System.Diagnostics;

namespace EdgeMesh.Dns;

/// <summary>Core, gate and resolver together, for the listeners.</summary>
internal sealed class DnsEngine(DnsCore core, Resolver resolver, ClientGate gate, DnsClock clock)
{
    private static readonly Fetched Refusal = new(CachedAnswer.Refused, AnswerSource.None);

    /// <summary>Answers from what is known; never waits.</summary>
    public DnsReply Handle(ReadOnlySpan<byte> query, Span<byte> output, bool isStream, DnsAddress client)
    {
        // A stranger gets nothing of the cache either: what a node has asked for is its own business.
        long began = Stopwatch.GetTimestamp();
        bool mayRecurse = gate.MayRecurse(client);
        DnsReply reply = core.Handle(query, output, isStream, clock.Now, mayRecurse ? null : Refusal);
        if (reply.Outcome != DnsOutcome.Ask || gate.TryTake(client, clock.Now))
        {
            Time(reply, began);
            return reply;
        }

        DnsMetrics.Shed.Add(1, new KeyValuePair<string, object?>("limit", "client"));
        return core.Handle(query, output, isStream, clock.Now, Refusal);
    }

    /// <summary>
    /// What a query needs whose <see cref="Handle"/> said <see cref="DnsOutcome.Ask"/>. Apart from <see cref="Finish"/>, so that the
    /// thousands that may wait hold no room for their answers.
    /// </summary>
    /// <param name="key">The question to ask upstream.</param>
    public ValueTask<Fetched> FetchAsync(byte[] key) => resolver.AskAsync(key);

    /// <summary>The answer to that query.</summary>
    /// <param name="query">The client's query.</param>
    /// <param name="fetched">What came from upstream.</param>
    /// <param name="output">Room for the answer.</param>
    /// <param name="isStream">TCP.</param>
    /// <param name="began"><see cref="Stopwatch"/> time at which the wait began.</param>
    public DnsReply Finish(ReadOnlySpan<byte> query, Fetched fetched, Span<byte> output, bool isStream, long began)
    {
        DnsReply reply = core.Handle(query, output, isStream, clock.Now, fetched);
        Time(reply, began);

        // The cluster may have changed meanwhile, so that the name leads elsewhere: the client asks again.
        return reply.Outcome == DnsOutcome.Ask ? new DnsReply(DnsOutcome.Silence, 0) : reply;
    }

    private static void Time(DnsReply reply, long began)
    {
        if (reply.Outcome == DnsOutcome.Answer)
        {
            DnsMetrics.Latency.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, DnsMetrics.SourceTag(reply.Source));
        }
    }
}
