using EdgeMesh.Quic;

namespace EdgeMesh.Bench.Load;

/// <summary>Pairs that send at given rates, train by train in turns, from the loop of their senders.</summary>
internal sealed class RelayLoad
{
    private const long Tick = 2_000_000;

    private readonly IReadOnlyList<RelayPair> pairs;
    private readonly double bytesPerTick;
    private readonly Reactor reactor;
    private readonly ReactorTimer timer;
    private readonly byte[] train = new byte[RelayPair.TrainLength];
    private long lastAt;
    private int first;
    private bool isOver;

    /// <param name="pairs">Whose senders are all on <paramref name="reactor"/>.</param>
    /// <param name="bytesPerSecond">Payload that a pair with share 1 wants to send.</param>
    /// <param name="reactor">Of the senders.</param>
    public RelayLoad(IReadOnlyList<RelayPair> pairs, double bytesPerSecond, Reactor reactor)
    {
        this.pairs = pairs;
        this.reactor = reactor;
        bytesPerTick = bytesPerSecond * Tick / 1e9;
        timer = reactor.CreateTimer(Send);
        foreach (RelayPair pair in pairs)
        {
            pair.Due = Random.Shared.NextDouble() * RelayPair.TrainPayload;
        }
    }

    /// <summary>Runs for a while, measures in its last part.</summary>
    /// <returns>Payload bytes each pair offered and got delivered while it was measured.</returns>
    public async Task<IReadOnlyList<(long Offered, long Delivered)>> RunAsync(TimeSpan warmUp, Func<Task> measured, CancellationToken stop)
    {
        reactor.Post(() =>
        {
            lastAt = reactor.Now;
            Send();
        });
        try
        {
            await Task.Delay(warmUp, stop);
            (long Offered, long Received)[] before = [.. pairs.Select(pair => (pair.Offered, pair.To.Received))];
            await measured();
            return [.. pairs.Zip(before, (pair, then) => (pair.Offered - then.Offered, pair.To.Received - then.Received))];
        }
        finally
        {
            reactor.Post(() =>
            {
                isOver = true;
                timer.Cancel();
            });
        }
    }

    private void Send()
    {
        if (isOver)
        {
            return;
        }

        double ticks = Math.Min(10, (reactor.Now - lastAt) / (double)Tick);
        lastAt = reactor.Now;

        // Another one begins each time: nobody is always behind the others in the server's socket buffer.
        first = (first + 7) % pairs.Count;
        for (int i = 0; i < pairs.Count; i++)
        {
            RelayPair pair = pairs[(first + i) % pairs.Count];
            pair.Due = Math.Min(pair.Due + (bytesPerTick * ticks * pair.Share), 4 * RelayPair.TrainPayload);
            while (pair.Due >= RelayPair.TrainPayload)
            {
                pair.Due -= RelayPair.TrainPayload;
                pair.Send(train);
            }
        }

        timer.Set(reactor.Now + Tick);
    }
}
