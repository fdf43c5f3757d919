using System.Net;
using System.Net.Sockets;
using EdgeMesh.Dns;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>Upstreams that answer, refuse and fall silent, on a clock that stands still until the test moves it.</summary>
public sealed class ResolverTests : IAsyncDisposable
{
    private static readonly IPEndPoint One = new(IPAddress.Parse("192.0.2.1"), 53);
    private static readonly IPEndPoint Two = new(IPAddress.Parse("192.0.2.2"), 53);

    private readonly FakeTimeProvider time = new();
    private readonly AnswerCache cache = new(1 << 20, TimeSpan.FromHours(1));
    private readonly List<(IPEndPoint Server, byte[] Query, bool IsStream, TaskCompletionSource<byte[]> Answer)> asked = [];
    private readonly SemaphoreSlim askedOnce = new(0);
    private readonly DnsClock clock;
    private readonly UpstreamSet upstreams;
    private readonly Resolver resolver;
    private readonly byte[] key = CoreTests.Key("www.example.test", 1);

    public ResolverTests()
    {
        clock = new DnsClock(time);
        upstreams = new UpstreamSet(ExchangeAsync, [new IPEndPoint(IPAddress.Loopback, 53)], TimeSpan.FromMilliseconds(1900), clock, time, NullLogger.Instance);
        resolver = new Resolver(new UpstreamRoutes(upstreams, []), cache, TimeSpan.FromMilliseconds(300), 4, clock, time);
        upstreams.Set([One, Two]);
    }

    public async ValueTask DisposeAsync()
    {
        await resolver.DisposeAsync();
        askedOnce.Dispose();
    }

    [Fact]
    public async Task ManyWaitersAreOneQuestion()
    {
        Task<Fetched>[] waiters = [.. Enumerable.Range(0, 50).Select(_ => resolver.AskAsync(key).AsTask())];
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        foreach (Fetched fetched in await Task.WhenAll(waiters))
        {
            Assert.Equal(DnsRcode.NoError, fetched.Answer.Rcode);
        }

        Assert.Single(asked);
        Assert.Equal(AnswerSource.Cache, (await resolver.AskAsync(key)).Source);
    }

    [Fact]
    public async Task LateServerIsHelpedByTheNext()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Single(asked);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        Assert.True((await answer).Answer.IsUsable);
        Assert.Equal([One, Two], asked.Select(question => question.Server));
    }

    [Fact]
    public async Task DeadServerIsPassedAtOnceAndAskedLastAfterwards()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        asked[0].Answer.SetException(new SocketException((int)SocketError.ConnectionRefused));
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        Assert.True((await answer).Answer.IsUsable);
        Task<Fetched> second = resolver.AskAsync(CoreTests.Key("other.example.test", 1)).AsTask();
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.8"));
        await second;
        Assert.Equal([One, Two, Two], asked.Select(question => question.Server));
    }

    [Fact]
    public async Task SilenceFailsWithinTwoSeconds()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        time.Advance(TimeSpan.FromMilliseconds(1399));
        Assert.False(answer.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(DnsRcode.ServerFailure, (await answer).Answer.Rcode);
        Assert.True(upstreams.AreSilent);
    }

    /// <summary>The network may return at any moment: the question is on its way again half a second later, whoever is the only server.</summary>
    [Fact]
    public async Task ASilentServerIsAskedAgainUntilTheDeadline()
    {
        upstreams.Set([One]);
        await FillAsync("198.51.100.9", CoreTests.Key("other.example.test", 1));
        asked.Clear();
        long start = clock.Now;
        List<long> at = [];
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        foreach (int pause in (int[])[150, 300, 500, 500, 0])
        {
            Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
            at.Add(clock.Now - start);
            time.Advance(TimeSpan.FromMilliseconds(Math.Max(0, pause - 1)));
            Assert.Equal(at.Count, asked.Count);
            time.Advance(TimeSpan.FromMilliseconds(Math.Min(1, pause)));
        }

        Assert.Equal([0, 150, 450, 950, 1450], at);
        Assert.False(answer.IsCompleted);
        asked[^1].Answer.SetResult(TestPark.Answer(asked[^1].Query, 60, "198.51.100.7"));
        Assert.True((await answer).Answer.IsUsable);
    }

    /// <summary>resolv.conf has changed: a question under way goes on with the new network's server.</summary>
    [Fact]
    public async Task ServersThatCameMeanwhileAreAsked()
    {
        IPEndPoint three = new(IPAddress.Parse("192.0.2.3"), 53);
        upstreams.Set([One]);
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        upstreams.Set([three]);
        time.Advance(TimeSpan.FromMilliseconds(500));
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        Assert.True((await answer).Answer.IsUsable);
        Assert.Equal([One, three], asked.Select(question => question.Server));
    }

    /// <summary>No way out at all is told at once and is no reason to wait.</summary>
    [Fact]
    public async Task WithoutAnyWayOutItFailsAtOnce()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        for (int i = 0; i < 4; i++)
        {
            Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
            asked[^1].Answer.SetException(new SocketException((int)SocketError.NetworkUnreachable));
        }

        Assert.Equal(DnsRcode.ServerFailure, (await answer).Answer.Rcode);
        Assert.Equal(4, asked.Count);
    }

    [Fact]
    public async Task StaleAnswerIsServedWhileUpstreamIsLateAndFreshOneReplacesIt()
    {
        await FillAsync("198.51.100.7");
        time.Advance(TimeSpan.FromSeconds(61));
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.False(answer.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(AnswerSource.Stale, (await answer).Source);
        asked[^1].Answer.SetResult(TestPark.Answer(asked[^1].Query, 60, "198.51.100.8"));
        await Eventually.HoldsAsync(() => cache.TryGetFresh(key, 62_000, out _));
    }

    [Fact]
    public async Task OneLateQuestionIsEnoughForStaleAnswersAtOnceUntilTheNextAnswer()
    {
        byte[] other = CoreTests.Key("other.example.test", 1);
        await FillAsync("198.51.100.7");
        await FillAsync("198.51.100.9", other);
        time.Advance(TimeSpan.FromSeconds(61));
        Task<Fetched> first = resolver.AskAsync(key).AsTask();
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        time.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(AnswerSource.Stale, (await first).Source);

        // The question is still under way; neither a second one of its name nor one of another name waits.
        Assert.Equal(AnswerSource.Stale, (await resolver.AskAsync(key)).Source);
        Assert.Equal(AnswerSource.Stale, (await resolver.AskAsync(other)).Source);
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));

        asked[^1].Answer.SetResult(TestPark.Answer(asked[^1].Query, 60, "198.51.100.8"));
        await Eventually.HoldsAsync(() => !upstreams.AreSilent);
    }

    [Fact]
    public async Task StaleAnswerIsServedAtOnceWhenEveryUpstreamIsSilent()
    {
        await FillAsync("198.51.100.7");
        time.Advance(TimeSpan.FromSeconds(61));
        foreach (Upstream upstream in upstreams.Current)
        {
            upstream.Failed();
        }

        ValueTask<Fetched> answer = resolver.AskAsync(key);
        Assert.Equal(AnswerSource.Stale, (await answer).Source);
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task RefusalOfOneIsNotTheLastWord()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        await AnswerNextAsync(query => TestPark.Refusal(query, 2));
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        Assert.True((await answer).Answer.IsUsable);
    }

    [Fact]
    public async Task TruncatedAnswerIsFetchedOverTcp()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        await AnswerNextAsync(query =>
        {
            byte[] cut = TestPark.Answer(query, 60);
            cut[2] |= 2;
            return cut;
        });
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        Assert.Single((await answer).Answer.Records);
        Assert.Equal([false, true], asked.Select(question => question.IsStream));
    }

    [Fact]
    public async Task MissingNameIsRememberedAsLongAsItsZoneSays()
    {
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        await AnswerNextAsync(query => TestPark.Missing(query, ttl: 60, minimum: 30));
        Assert.Equal(DnsRcode.NameError, (await answer).Answer.Rcode);
        Assert.True(cache.TryGetFresh(key, 29_999, out _));
        Assert.False(cache.TryGetFresh(key, 30_000, out _));
    }

    [Fact]
    public async Task MoreQuestionsThanTheLimitFailAtOnce()
    {
        Task<Fetched>[] waiting = [.. Enumerable.Range(0, 4).Select(i => resolver.AskAsync(CoreTests.Key($"n{i}.example.test", 1)).AsTask())];
        Assert.Equal(DnsRcode.ServerFailure, (await resolver.AskAsync(key)).Answer.Rcode);
        for (int i = 0; i < 4; i++)
        {
            await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        }

        await Task.WhenAll(waiting);
    }

    [Fact]
    public void OwnAddressIsNoUpstream()
    {
        upstreams.Set([new IPEndPoint(IPAddress.Loopback, 53), One]);
        Assert.Equal([One], upstreams.Current.Select(upstream => upstream.Server));
    }

    [Fact]
    public async Task UpstreamThatAsksUsIsLeftOut()
    {
        Assert.True(upstreams.IsLoopProbe(upstreams.Current[0].ProbeName));
        Assert.False(upstreams.IsLoopProbe(WireName.FromText("some.name")));
        Task<Fetched> answer = resolver.AskAsync(key).AsTask();
        await AnswerNextAsync(query => TestPark.Answer(query, 60, "198.51.100.7"));
        await answer;
        Assert.Equal([Two], asked.Select(question => question.Server));
    }

    [Fact]
    public void ReadsResolvConf() => Assert.Equal(
        (IPEndPoint[])[One, new IPEndPoint(IPAddress.Parse("fd00::53"), 53)],
        ResolvConf.Parse("# comment\nsearch a b\nnameserver 192.0.2.1\n nameserver\tfd00::53 \nnameserver 192.0.2.1\nnameserver nonsense\noptions ndots:5\n"));

    private async Task FillAsync(string address, byte[]? question = null)
    {
        Task<Fetched> answer = resolver.AskAsync(question ?? key).AsTask();
        await AnswerNextAsync(query => TestPark.Answer(query, 60, address));
        await answer;
    }

    private async Task AnswerNextAsync(Func<byte[], byte[]> answer)
    {
        Assert.True(await askedOnce.WaitAsync(TimeSpan.FromSeconds(20)));
        byte[] query;
        TaskCompletionSource<byte[]> pending;
        lock (asked)
        {
            // The newest open one: older ones belong to servers the test leaves silent.
            (_, query, _, pending) = asked.Last(question => !question.Answer.Task.IsCompleted);
        }

        pending.SetResult(answer(query));
    }

    private async ValueTask<byte[]> ExchangeAsync(IPEndPoint server, byte[] query, bool isStream, CancellationToken stop)
    {
        TaskCompletionSource<byte[]> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (asked)
        {
            asked.Add((server, query, isStream, answer));
        }

        askedOnce.Release();
        return await answer.Task.WaitAsync(stop);
    }
}
