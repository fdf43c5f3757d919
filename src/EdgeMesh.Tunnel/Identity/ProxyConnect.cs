using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// Opens a tunnel through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), Basic credentials if there are any. The platform's own
/// proxy support connects as a part of a request; here the tunnel has to be open before the request, so that it can race the other
/// ways to a server, and the refusals have to be told apart (docs/decisions/http-proxy.md).
/// </summary>
internal static class ProxyConnect
{
    /// <summary>The proxy answers when it has reached the server or given up; ours give up after 3 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    /// <param name="proxy">Which.</param>
    /// <param name="target">Host and port of the server.</param>
    /// <param name="mark">SO_MARK.</param>
    /// <param name="stop">Stops.</param>
    /// <exception cref="SocketException">The proxy cannot be reached.</exception>
    /// <exception cref="TimeoutException">It does not answer in time.</exception>
    /// <exception cref="IOException">It refuses; the message says why and what to do.</exception>
    public static async Task<Socket> ConnectAsync(HttpProxy proxy, string target, int? mark, CancellationToken stop)
    {
        Socket socket = await ReachAsync(proxy, mark, stop).ConfigureAwait(false);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        try
        {
            await OpenAsync(socket, proxy, target, limit.Token).ConfigureAwait(false);
            return socket;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"the proxy gives no answer within {Patience.TotalSeconds} s: it cannot reach that port, or it is no HTTP proxy");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Its name is resolved here; of several addresses the first that answers.
    private static async Task<Socket> ReachAsync(HttpProxy proxy, int? mark, CancellationToken stop)
    {
        IPAddress[] addresses = IPAddress.TryParse(proxy.Host, out IPAddress? literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(proxy.Host, stop).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            try
            {
                return await MarkedSocket.ConnectAsync(new IPEndPoint(addresses[i], proxy.Port), mark, stop).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is SocketException or TimeoutException && i + 1 < addresses.Length)
            {
                // The next one.
            }
        }
    }

    private static async Task OpenAsync(Socket socket, HttpProxy proxy, string target, CancellationToken stop)
    {
        string login = proxy.Credentials is { } credentials ? $"Proxy-Authorization: Basic {credentials}\r\n" : "";
        await SendAsync(socket, Encoding.ASCII.GetBytes($"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n"), stop).ConfigureAwait(false);
        byte[] buffer = new byte[ProxyAnswer.MaxHead];
        int length = 0;
        while (true)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(length), stop).ConfigureAwait(false);
            length += read;
            if (!ProxyAnswer.TryRead(buffer.AsSpan(0, length), out int head, out ProxyAnswer? answer))
            {
                throw new IOException("what answers there is no HTTP proxy");
            }

            while (answer is { IsInterim: true })
            {
                buffer.AsSpan(head..length).CopyTo(buffer);
                length -= head;
                if (!ProxyAnswer.TryRead(buffer.AsSpan(0, length), out head, out answer))
                {
                    throw new IOException("what answers there is no HTTP proxy");
                }
            }

            if (answer is not null)
            {
                if (!answer.IsOpen)
                {
                    throw new IOException(Explain(answer, proxy, target));
                }

                // In TLS the client speaks first: what is already here did not come from the server.
                if (head != length)
                {
                    throw new IOException("the proxy opens the tunnel and speaks into it itself");
                }

                return;
            }

            if (read == 0)
            {
                throw new IOException("the proxy closes the connection without an answer");
            }
        }
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, stop).ConfigureAwait(false)..];
        }
    }

    private static string Explain(ProxyAnswer answer, HttpProxy proxy, string target) => answer.Status switch
    {
        // A wrong password is 401 with some (tinyproxy), though that is an origin server's to say.
        407 when answer.Schemes.Count > 0 && !answer.Schemes.Contains("Basic", StringComparer.OrdinalIgnoreCase) =>
            $"407: the proxy wants a login by {string.Join(" or ", answer.Schemes)}, and only Basic is spoken: let it take Basic, or let this node through without a login",
        401 or 407 when proxy.HasCredentials => $"{answer.Status}: the proxy refuses the name and password: correct them in tunnel.httpProxy of the --config file, or in HTTPS_PROXY",
        401 or 407 => $"{answer.Status}: the proxy wants a name and a password: give http://USER:PASSWORD@HOST:PORT as tunnel.httpProxy in the --config file, or as HTTPS_PROXY",
        403 or 405 => $"{answer.Status}: the proxy does not allow CONNECT to {target}: have it allowed there, or let the server listen on a port that is, such as 443",
        502 or 503 or 504 => $"{answer.Status}: the proxy cannot reach {target}{Phrase(answer)}",
        _ => $"the proxy answers {answer.Status}{Phrase(answer)}",
    };

    private static string Phrase(ProxyAnswer answer) => answer.Reason.Length > 0 ? $" ({answer.Reason})" : "";
}
