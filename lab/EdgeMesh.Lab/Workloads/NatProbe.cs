using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.Lab.Workloads;

/// <summary>
/// How a host behind a NAT looks from two outside hosts, and who gets in: the address each saw, then the names in datagrams that
/// came in from addresses that were not asked.
/// </summary>
public sealed record NatProbeOutcome(string SeenByFirst, string SeenBySecond, string[] Unasked);

/// <summary>The parts of a NAT test, each a verb run in a host: a reflector outside, a probe inside, a stranger outside.</summary>
internal static class NatProbe
{
    /// <summary>Answers every datagram with the address it came from.</summary>
    public static async Task ReflectAsync(IPEndPoint listen, CancellationToken stop)
    {
        using Socket socket = new(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(listen);
        byte[] buffer = new byte[2048];
        while (true)
        {
            SocketReceiveFromResult got = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), stop);
            await socket.SendToAsync(Encoding.ASCII.GetBytes($"seen {got.RemoteEndPoint}"), SocketFlags.None, got.RemoteEndPoint, stop);
        }
    }

    /// <summary>Asks both reflectors from one port, prints what they saw, then listens until standard input closes.</summary>
    public static async Task<NatProbeOutcome> AskAsync(int port, IPEndPoint first, IPEndPoint second)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
        string seenByFirst = await SeenByAsync(socket, first);
        string seenBySecond = await SeenByAsync(socket, second);
        Console.WriteLine($"seen {seenByFirst} {seenBySecond}");
        List<string> unasked = [];
        using CancellationTokenSource stop = new();
        Task listening = ListenAsync(socket, unasked, stop.Token);
        await Console.In.ReadToEndAsync(CancellationToken.None);
        await stop.CancelAsync();
        await listening;
        return new NatProbeOutcome(seenByFirst, seenBySecond, [.. unasked.Distinct().Order()]);
    }

    /// <summary>Sends a name to an address a few times.</summary>
    public static async Task SendAsync(IPEndPoint from, IPEndPoint to, string name)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(from);
        for (int i = 0; i < 3; i++)
        {
            await socket.SendToAsync(Encoding.ASCII.GetBytes("from " + name), SocketFlags.None, to);
        }
    }

    private static async Task<string> SeenByAsync(Socket socket, IPEndPoint reflector)
    {
        byte[] buffer = new byte[2048];
        for (int i = 0; i < 5; i++)
        {
            await socket.SendToAsync("?"u8.ToArray(), SocketFlags.None, reflector);
            using CancellationTokenSource limit = new(TimeSpan.FromMilliseconds(400));
            try
            {
                int length = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
                string text = Encoding.ASCII.GetString(buffer, 0, length);
                if (text.StartsWith("seen ", StringComparison.Ordinal))
                {
                    return text[5..];
                }
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException)
            {
                // Asked again; a NAT without UDP answers never.
            }
        }

        return "nobody";
    }

    private static async Task ListenAsync(Socket socket, List<string> unasked, CancellationToken stop)
    {
        byte[] buffer = new byte[2048];
        while (true)
        {
            try
            {
                int length = await socket.ReceiveAsync(buffer, SocketFlags.None, stop);
                string text = Encoding.ASCII.GetString(buffer, 0, length);
                if (text.StartsWith("from ", StringComparison.Ordinal))
                {
                    unasked.Add(text[5..]);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
