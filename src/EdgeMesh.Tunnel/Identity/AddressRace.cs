using System.Net.Sockets;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// Connects by whichever of several ways answers first (RFC 8305): in their order, the next one 250 ms after the one before or
/// as soon as that has failed. Where a firewall swallows one port, the other is not waited for. A proxy is asked when all others
/// have failed or have had a second: it is often next door, and must not win against a server that is far.
/// </summary>
internal static class AddressRace
{
    private static readonly TimeSpan Head = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan HeadBeforeProxy = TimeSpan.FromSeconds(1);

    /// <param name="ways">In order of preference, those through a proxy last.</param>
    /// <param name="mark">SO_MARK.</param>
    /// <param name="tried">Failures are added, each in a clause.</param>
    /// <param name="stop">Stops.</param>
    /// <returns>Null if none answers.</returns>
    public static async Task<(ServerWay Way, Socket Socket)?> RunAsync(
        IReadOnlyList<ServerWay> ways, int? mark, List<string> tried, CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Dictionary<Task<Socket>, ServerWay> running = [];
        int next = 0;
        bool isDue = true;
        Task pause = Task.CompletedTask;
        try
        {
            while (next < ways.Count || running.Count > 0)
            {
                if (next < ways.Count && isDue)
                {
                    running[ways[next].ConnectAsync(mark, over.Token)] = ways[next];
                    bool isDirect = ways[next++].Proxy is null;
                    pause = Task.Delay(next == ways.Count ? Timeout.InfiniteTimeSpan : isDirect && ways[next].Proxy is not null ? HeadBeforeProxy : Head, over.Token);
                }

                Task first = await Task.WhenAny([.. running.Keys, pause]).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
                isDue = first == pause;
                if (first is not Task<Socket> attempt || !running.Remove(attempt, out ServerWay? way))
                {
                    continue;
                }

                try
                {
                    return (way, await attempt.ConfigureAwait(false));
                }
                catch (Exception fault) when (fault is SocketException or TimeoutException or IOException)
                {
                    tried.Add($"{way} ({fault.Message})");
                }

                isDue = running.Count == 0 || (next < ways.Count && ways[next].Proxy == way.Proxy);
            }

            return null;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            foreach (Task<Socket> loser in running.Keys)
            {
                await CloseAsync(loser).ConfigureAwait(false);
            }
        }
    }

    private static async Task CloseAsync(Task<Socket> loser)
    {
        try
        {
            (await loser.ConfigureAwait(false)).Dispose();
        }
        catch (Exception fault) when (fault is SocketException or TimeoutException or IOException or OperationCanceledException)
        {
            // It lost.
        }
    }
}
