using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// Connects to whichever of several addresses answers first (RFC 8305): in their order, the next one 250 ms after the one before or
/// as soon as that has failed. Where a firewall swallows one port, the other is not waited for.
/// </summary>
internal static class AddressRace
{
    private static readonly TimeSpan Head = TimeSpan.FromMilliseconds(250);

    /// <param name="addresses">In order of preference.</param>
    /// <param name="mark">SO_MARK.</param>
    /// <param name="tried">Failures are added, each in a clause.</param>
    /// <param name="stop">Stops.</param>
    /// <returns>Null if none answers.</returns>
    public static async Task<(IPEndPoint Address, Socket Socket)?> RunAsync(
        IReadOnlyList<IPEndPoint> addresses, int? mark, List<string> tried, CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Dictionary<Task<Socket>, IPEndPoint> running = [];
        int next = 0;
        try
        {
            while (next < addresses.Count || running.Count > 0)
            {
                if (next < addresses.Count)
                {
                    running[MarkedSocket.ConnectAsync(addresses[next], mark, over.Token)] = addresses[next];
                    next++;
                }

                Task pause = next < addresses.Count ? Task.Delay(Head, over.Token) : Task.Delay(Timeout.Infinite, over.Token);
                Task first = await Task.WhenAny([.. running.Keys, pause]).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
                if (first is not Task<Socket> attempt || !running.Remove(attempt, out IPEndPoint? address))
                {
                    continue;
                }

                try
                {
                    return (address, await attempt.ConfigureAwait(false));
                }
                catch (Exception fault) when (fault is SocketException or TimeoutException)
                {
                    tried.Add($"{address} ({fault.Message})");
                }
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
        catch (Exception fault) when (fault is SocketException or TimeoutException or OperationCanceledException)
        {
            // It lost.
        }
    }
}
