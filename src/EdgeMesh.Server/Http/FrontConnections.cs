using System.Buffers;
using System.IO.Pipelines;
using System.Net;

using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Http;

/// <summary>
/// Connections that a front on port 443 passes on. From the addresses that the operator trusts, and only from them, a PROXY header
/// gives the agent's own address, so that limits and logs speak of agents and not of the front. Without one the connection counts as
/// the front's: nobody gains anything by leaving it out.
/// </summary>
internal sealed class FrontConnections(IReadOnlyList<IPNetwork> trusted, ILogger log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private int isTold;

    public ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        if (connection.RemoteEndPoint is IPEndPoint front && trusted.Any(network => network.Contains(front.Address))
            && !await TakeHeaderAsync(connection, front).ConfigureAwait(false))
        {
            connection.Abort();
            return;
        }

        await next(connection).ConfigureAwait(false);
    };

    /// <returns>False: there will be nothing to serve.</returns>
    private async Task<bool> TakeHeaderAsync(ConnectionContext connection, IPEndPoint front)
    {
        PipeReader input = connection.Transport.Input;
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        limit.CancelAfter(Patience);
        try
        {
            while (true)
            {
                ReadResult read = await input.ReadAsync(limit.Token).ConfigureAwait(false);
                switch (Read(read.Buffer, out int length, out IPEndPoint? client))
                {
                    case ProxyHeaderKind.Read:
                        input.AdvanceTo(read.Buffer.GetPosition(length));
                        connection.RemoteEndPoint = client ?? connection.RemoteEndPoint;
                        return true;
                    case ProxyHeaderKind.None:
                        input.AdvanceTo(read.Buffer.Start);
                        if (Interlocked.Exchange(ref isTold, 1) == 0)
                        {
                            ServerLog.NoProxyHeader(log, front.Address);
                        }

                        return true;
                    case ProxyHeaderKind.Incomplete when !read.IsCompleted:
                        input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                        break;
                    default:
                        input.AdvanceTo(read.Buffer.End);
                        return false;
                }
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            return false;
        }
    }

    private static ProxyHeaderKind Read(ReadOnlySequence<byte> buffer, out int length, out IPEndPoint? client)
    {
        if (buffer.IsSingleSegment)
        {
            return ProxyHeader.Read(buffer.FirstSpan, out length, out client);
        }

        byte[] joined = buffer.Slice(0, Math.Min(buffer.Length, ProxyHeader.MaxLength)).ToArray();
        return ProxyHeader.Read(joined, out length, out client);
    }
}
