using System.IO.Pipelines;

using Microsoft.AspNetCore.Connections;

namespace EdgeMesh.Server.Http;

/// <summary>
/// How many TLS handshakes are worked on at once. When thousands of agents come back together, working on all of them would
/// finish all of them late, beyond their patience, and they would begin anew; in turns the first are in at once, and one that has
/// given up meanwhile costs nothing. A turn begins when the client has spoken, and ends with the handshake or after a time, so
/// that clients which stall hold up nobody.
/// </summary>
internal sealed class HandshakeGate(int places, TimeProvider time) : IDisposable
{
    /// <summary>Enough to keep the processor busy at 500 handshakes a second and round trips of a quarter of a second.</summary>
    public const int DefaultPlaces = 128;

    /// <summary>
    /// A staller has its place no longer. Far longer than a handshake takes: places that come free while a slow machine is still
    /// at work on them let in more than it can finish (measured at 1 s on a machine with fifteen times the work it can do: 2,500
    /// agents took 70 s to come back, and lost patience 8,500 times).
    /// </summary>
    public static readonly TimeSpan Turn = TimeSpan.FromSeconds(5);

    /// <summary>For the client's first bytes, and for its turn to come: an agent waits 8 s for all.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim free = new(places, places);
    private long abandoned;

    /// <summary>Clients that had given up when their turn came.</summary>
    public long Abandoned => Interlocked.Read(ref abandoned);

    /// <summary>Goes before TLS.</summary>
    public ConnectionDelegate Enter(ConnectionDelegate next) => async connection =>
    {
        using Place? place = await TakeAsync(connection).ConfigureAwait(false);
        if (place is not null)
        {
            connection.Features.Set(place);
            await next(connection).ConfigureAwait(false);
        }
        else
        {
            connection.Abort();
        }
    };

    /// <summary>Goes after TLS.</summary>
    public static ConnectionDelegate Leave(ConnectionDelegate next) => connection =>
    {
        connection.Features.Get<Place>()?.Dispose();
        connection.Features.Set<Place>(null);
        return next(connection);
    };

    public void Dispose() => free.Dispose();

    private async Task<Place?> TakeAsync(ConnectionContext connection)
    {
        using CancellationTokenSource limit = new(Wait, time);
        try
        {
            if (await HasEndedAsync(connection.Transport.Input, limit.Token).ConfigureAwait(false))
            {
                return null;
            }

            await free.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Silent for too long, or its turn has not come.
            return null;
        }

        Place place = new(free, time);
        if (await HasEndedAsync(connection.Transport.Input, CancellationToken.None).ConfigureAwait(false))
        {
            Interlocked.Increment(ref abandoned);
            place.Dispose();
            return null;
        }

        return place;
    }

    // Looks without taking: at once when there is something already. Who gives up resets the connection as often as it ends it
    // in good order, and that is thrown: no reason to lose the place.
    private static async Task<bool> HasEndedAsync(PipeReader input, CancellationToken stop)
    {
        try
        {
            ReadResult seen = await input.ReadAsync(stop).ConfigureAwait(false);
            bool isOver = seen.IsCompleted || seen.IsCanceled;
            input.AdvanceTo(seen.Buffer.Start);
            return isOver;
        }
        catch (Exception fault) when (fault is IOException or ConnectionAbortedException)
        {
            return true;
        }
    }

    /// <summary>A turn; over when it is disposed or its time is up.</summary>
    private sealed class Place : IDisposable
    {
        private readonly ITimer timer;
        private SemaphoreSlim? free;

        public Place(SemaphoreSlim free, TimeProvider time)
        {
            this.free = free;
            timer = time.CreateTimer(static place => ((Place)place!).Free(), this, Turn, Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            timer.Dispose();
            Free();
        }

        private void Free()
        {
            try
            {
                Interlocked.Exchange(ref free, null)?.Release();
            }
            catch (ObjectDisposedException)
            {
                // The server has stopped.
            }
        }
    }
}
