using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Dns;

/// <summary>
/// The upstream servers, best first. A question goes to the best one; when that is late, refuses or is gone, the next one is
/// asked beside it and the first good answer wins.
/// </summary>
internal sealed class UpstreamSet(
    UpstreamExchange exchange, IReadOnlyList<IPEndPoint> ownAddresses, TimeSpan timeout, DnsClock clock, TimeProvider time, ILogger log)
{
    // Bounds of the wait before the next server is asked too: late enough not to double the traffic of a slow link.
    private const int LeastHedge = 150;
    private const int MostHedge = 500;

    // Attempts at one question, of which each holds a socket.
    private const int MostAttempts = 6;

    private ImmutableArray<Upstream> upstreams = [];
    private ImmutableHashSet<IPEndPoint> warned = [];
    private volatile bool isDoubted;

    public ImmutableArray<Upstream> Current => upstreams;

    /// <summary>The last attempt at each of them failed, or a question waited in vain since the last answer: waiting is likely to be no use.</summary>
    public bool AreSilent
    {
        get
        {
            if (isDoubted)
            {
                return true;
            }

            foreach (Upstream upstream in upstreams)
            {
                if (upstream.Failures == 0 && !upstream.IsLoop)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Replaces the servers; those that stay keep what was measured. One caller at a time.</summary>
    public void Set(IEnumerable<IPEndPoint> servers)
    {
        ImmutableArray<Upstream> old = upstreams;
        ImmutableArray<Upstream>.Builder next = ImmutableArray.CreateBuilder<Upstream>();
        foreach (IPEndPoint server in servers)
        {
            if (ownAddresses.Contains(server))
            {
                if (!warned.Contains(server))
                {
                    warned = warned.Add(server);
                    DnsLog.UpstreamIsSelf(log, server);
                }

                continue;
            }

            next.Add(old.FirstOrDefault(upstream => upstream.Server.Equals(server)) ?? new Upstream(server));
        }

        upstreams = next.DrainToImmutable();
        if (upstreams.IsEmpty)
        {
            DnsLog.NoUpstreams(log);
        }
        else
        {
            DnsLog.Upstreams(log, string.Join(", ", upstreams.Select(upstream => upstream.Server)));
        }
    }

    /// <summary>A question waited longer than it should; until the next answer nobody else needs to.</summary>
    public void Doubt() => isDoubted = true;

    public void ForgetMeasurements()
    {
        isDoubted = false;
        foreach (Upstream upstream in upstreams)
        {
            upstream.Forget();
        }
    }

    /// <summary>True if this query is our own question, come back through an upstream that asks us.</summary>
    public bool IsLoopProbe(ReadOnlyMemory<byte> name)
    {
        foreach (Upstream upstream in upstreams)
        {
            if (name.Span.SequenceEqual(upstream.ProbeName))
            {
                if (!upstream.IsLoop)
                {
                    upstream.MarkLoop();
                    DnsLog.UpstreamLoops(log, upstream.Server);
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>Asks each server once for its probe name. Answers do not matter, only whether the query comes back.</summary>
    public async Task ProbeLoopsAsync(CancellationToken stop)
    {
        using CancellationTokenSource deadline = new(timeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        await Task.WhenAll(upstreams.Where(upstream => !upstream.IsLoop).Select(async upstream =>
        {
            byte[] key = new byte[QuestionKey.MaxLength];
            int length = QuestionKey.Write(key, upstream.ProbeName, DnsType.Hinfo, DnsType.ClassIn);
            try
            {
                byte[] query = UpstreamMessage.Query(key.AsSpan(0, length), RandomId(), withEdns: false);
                await exchange(upstream.Server, query, false, both.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                // Silence is no loop; the first real question will measure it.
            }
        })).ConfigureAwait(false);
    }

    /// <summary>The first good answer, else a server's refusal, else null: nobody answered in time.</summary>
    public async Task<CachedAnswer?> AskAsync(byte[] key, CancellationToken stop)
    {
        // Silence may end at any moment, so late servers are asked again and again until the deadline; failures are told at once, and
        // two of each end the question. Where the node's network has got other servers meanwhile, these are asked.
        ImmutableArray<Upstream> known = default;
        ImmutableArray<Upstream> order = [];
        int next = 0;
        int failures = 0;
        CachedAnswer? refusal = null;
        List<Task<CachedAnswer?>> running = [];
        using CancellationTokenSource deadline = new(timeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        using CancellationTokenSource won = new();
        try
        {
            while (true)
            {
                if (upstreams is var now && now != known)
                {
                    (known, order, next, failures) = (now, Ranked(), 0, 0);
                }

                int budget = order.IsEmpty ? 0 : Math.Clamp(order.Length * 2, 3, MostAttempts);
                bool mayAsk = next < MostAttempts && failures < budget;
                Upstream? asked = mayAsk ? order[next % order.Length] : null;
                using CancellationTokenSource early = CancellationTokenSource.CreateLinkedTokenSource(both.Token);
                Task late = Task.Delay(mayAsk ? Hedge(asked, next++ / order.Length) : Timeout.InfiniteTimeSpan, time, early.Token);
                if (asked is not null)
                {
                    running.Add(AttemptAsync(asked, key, both.Token, won.Token));
                }

                bool failed = false;
                while (running.Count > 0 && !failed)
                {
                    Task done = await Task.WhenAny(running.Cast<Task>().Append(late)).ConfigureAwait(false);
                    if (done == late)
                    {
                        break;
                    }

                    Task<CachedAnswer?> attempt = (Task<CachedAnswer?>)done;
                    running.Remove(attempt);
                    CachedAnswer? answer = await attempt.ConfigureAwait(false);
                    if (answer is { IsUsable: true })
                    {
                        return answer;
                    }

                    refusal ??= answer;
                    failures++;
                    failed = true;
                }

                await early.CancelAsync().ConfigureAwait(false);
                if (both.IsCancellationRequested || (running.Count == 0 && (next >= MostAttempts || failures >= budget)))
                {
                    return refusal;
                }
            }
        }
        finally
        {
            await won.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    private ImmutableArray<Upstream> Ranked() =>
        [.. upstreams.Where(upstream => !upstream.IsLoop).OrderBy(upstream => upstream.Failures > 0 ? 1 : 0).ThenBy(upstream => upstream.Latency ?? 0)];

    // Doubled each time round: the pauses fill the time until the deadline, and a network that returns is noticed half a second later.
    private static TimeSpan Hedge(Upstream? asked, int round) =>
        TimeSpan.FromMilliseconds(asked?.Latency is { } latency ? Math.Min(Math.Clamp(latency * 3, LeastHedge, MostHedge) << round, MostHedge) : MostHedge);

    // Never throws. Null: no answer.
    private async Task<CachedAnswer?> AttemptAsync(Upstream upstream, byte[] key, CancellationToken deadline, CancellationToken won)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(deadline, won);
        long began = time.GetTimestamp();
        string reason;
        try
        {
            byte[] message = await ExchangeAsync(upstream.Server, key, both.Token).ConfigureAwait(false);
            CachedAnswer? answer = UpstreamMessage.Read(key, message, clock.Now, upstream.Server);
            if (answer is not null)
            {
                TimeSpan took = time.GetElapsedTime(began);
                upstream.Answered((long)took.TotalMilliseconds);
                isDoubted = false;
                DnsMetrics.UpstreamLatency.Record(took.TotalSeconds);
                return answer;
            }

            reason = "malformed";
        }
        catch (OperationCanceledException) when (won.IsCancellationRequested && !deadline.IsCancellationRequested)
        {
            upstream.Outrun((long)time.GetElapsedTime(began).TotalMilliseconds);
            return null;
        }
        catch (OperationCanceledException)
        {
            reason = "silent";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            reason = "unreachable";
        }

        upstream.Failed();
        DnsMetrics.UpstreamFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));
        DnsLog.UpstreamFailed(log, upstream.Server, reason);
        return null;
    }

    private async ValueTask<byte[]> ExchangeAsync(IPEndPoint server, byte[] key, CancellationToken stop)
    {
        byte[] query = UpstreamMessage.Query(key, RandomId(), withEdns: true);
        byte[] message = await exchange(server, query, false, stop).ConfigureAwait(false);
        if (UpstreamMessage.RcodeOf(message) is DnsRcode.FormatError or DnsRcode.NotImplemented)
        {
            // A server from before EDNS (RFC 6891 section 6.2.2).
            query = UpstreamMessage.Query(key, RandomId(), withEdns: false);
            message = await exchange(server, query, false, stop).ConfigureAwait(false);
        }

        return UpstreamMessage.IsTruncated(message) ? await exchange(server, query, true, stop).ConfigureAwait(false) : message;
    }

    private static ushort RandomId() => (ushort)RandomNumberGenerator.GetInt32(0x10000);
}
