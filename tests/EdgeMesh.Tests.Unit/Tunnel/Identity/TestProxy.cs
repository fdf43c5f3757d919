using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.Tests.Unit.Tunnel.Identity;

/// <summary>An HTTP proxy of a page: answers each CONNECT with what the test wants, and tunnels where that is a 200.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentBag<Task> serving = [];
    private readonly Func<string, string> answer;
    private readonly Task accepting;

    /// <param name="answer">Takes the request's head, gives that of the response; empty: never answer.</param>
    public TestProxy(Func<string, string> answer)
    {
        this.answer = answer;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        accepting = AcceptAsync();
    }

    public const string Open = "HTTP/1.1 200 OK\r\n\r\n";

    public string Url => $"http://127.0.0.1:{Port}";

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Where tunnels lead, whatever was asked for; null: where was asked.</summary>
    public IPEndPoint? LeadsTo { get; init; }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(serving);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await listener.AcceptAsync(stopping.Token);
                serving.Add(ServeAsync(client));
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using Socket owned = client;
        try
        {
            string head = "";
            byte[] one = new byte[1];
            while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal) && await client.ReceiveAsync(one, stopping.Token) > 0)
            {
                head += (char)one[0];
            }

            Requests.Enqueue(head);
            string wanted = answer(head);
            if (wanted.Length == 0)
            {
                await Task.Delay(Timeout.Infinite, stopping.Token);
            }

            await client.SendAsync(Encoding.ASCII.GetBytes(wanted), stopping.Token);
            if (!wanted.Contains(" 200 ", StringComparison.Ordinal))
            {
                return;
            }

            using Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await server.ConnectAsync(LeadsTo ?? IPEndPoint.Parse(head.Split(' ')[1]), stopping.Token);
            await using NetworkStream near = new(client);
            await using NetworkStream far = new(server);
            await Task.WhenAny(near.CopyToAsync(far, stopping.Token), far.CopyToAsync(near, stopping.Token));
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or IOException or FormatException)
        {
            // One end has gone, or the tunnel leads nowhere.
        }
    }
}
