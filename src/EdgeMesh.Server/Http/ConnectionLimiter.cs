using System.Collections.Concurrent;
using System.Net;

using Microsoft.AspNetCore.Connections;

namespace EdgeMesh.Server.Http;

/// <summary>
/// Open TCP connections of one address, whether they ever speak or not, so that nobody holds all that the server allows. A NAT
/// with a thousand nodes behind it is one address.
/// </summary>
internal sealed class ConnectionLimiter
{
    public const int PerAddress = 1024;

    private readonly ConcurrentDictionary<IPAddress, int> open = new();

    public ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        IPAddress address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        int count = open.AddOrUpdate(address, 1, static (_, old) => old + 1);
        try
        {
            if (count > PerAddress)
            {
                connection.Abort();
                return;
            }

            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            int left = open.AddOrUpdate(address, 0, static (_, old) => old - 1);
            if (left == 0)
            {
                open.TryRemove(new KeyValuePair<IPAddress, int>(address, 0));
            }
        }
    };
}
