using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>
/// A WebSocket to the server with the steps and the patience of a real agent, but without its HTTP client: thousands of those
/// would measure themselves.
/// </summary>
internal sealed class SimulatedSocket : IDisposable
{
    private static readonly TimeSpan TcpPatience = TimeSpan.FromSeconds(3);
    private static readonly byte[] HeadEnd = "\r\n\r\n"u8.ToArray();

    private readonly SslStream stream;

    private SimulatedSocket(SslStream stream, WebSocket socket, SignalMessage welcome)
    {
        this.stream = stream;
        Socket = socket;
        Welcome = welcome;
    }

    public WebSocket Socket { get; }

    public SignalMessage Welcome { get; }

    /// <returns>No socket unless the outcome is <see cref="Outcome.In"/>.</returns>
    public static async Task<(SimulatedSocket? Made, Outcome Outcome)> ConnectAsync(SimulatedIdentity identity, IPEndPoint server, CancellationToken stop)
    {
        Outcome late = Outcome.NoTcp;
        SslStream? stream = null;
        try
        {
            Socket connected = await WithinAsync(TcpPatience, cancel => SimulatedIdentity.ConnectAsync(identity.Source, server, cancel), stop);
            late = Outcome.NoTls;
            stream = new SslStream(new NetworkStream(connected, ownsSocket: true));
            await WithinAsync(Patience.Connect, cancel => UpgradeAsync(stream, identity, cancel), stop);
            late = Outcome.NoWelcome;
            WebSocket socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { SubProtocol = SignalMessage.Subprotocol, KeepAliveInterval = TimeSpan.Zero });
            SignalMessage welcome = await WithinAsync(Patience.Welcome, cancel => WelcomeAsync(socket, cancel), stop);
            SimulatedSocket made = new(stream, socket, welcome);
            stream = null;
            return (made, Outcome.In);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (null, late);
        }
        catch (SocketException fault) when (fault.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return (null, Outcome.Refused);
        }
        catch (Exception fault) when (fault is SocketException or IOException or AuthenticationException or WebSocketException or InvalidDataException)
        {
            return (null, Outcome.Ended);
        }
        finally
        {
            stream?.Dispose();
        }
    }

    public void Dispose()
    {
        Socket.Dispose();
        stream.Dispose();
    }

    private static async Task<bool> UpgradeAsync(SslStream stream, SimulatedIdentity identity, CancellationToken stop)
    {
        await stream.AuthenticateAsClientAsync(identity.Tls, stop);
        string key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /v1/connect HTTP/1.1\r\nHost: edgemesh-server\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SignalMessage.Subprotocol}\r\n\r\n"), stop);

        // Byte by byte, out of the stream's own buffer: what follows the head belongs to the WebSocket.
        byte[] head = new byte[1024];
        int length = 0;
        while (!head.AsSpan(0, length).EndsWith(HeadEnd))
        {
            if (length == head.Length || await stream.ReadAsync(head.AsMemory(length, 1), stop) == 0)
            {
                throw new InvalidDataException("no answer to the upgrade");
            }

            length++;
        }

        return head.AsSpan(0, length).StartsWith("HTTP/1.1 101 "u8) ? true : throw new InvalidDataException(Encoding.ASCII.GetString(head, 0, length));
    }

    private static async Task<SignalMessage> WelcomeAsync(WebSocket socket, CancellationToken stop)
    {
        byte[] buffer = new byte[4096];
        int length = 0;
        ValueWebSocketReceiveResult result;
        do
        {
            result = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
            length += result.Count;
        }
        while (!result.EndOfMessage && length < buffer.Length);

        return result.MessageType == WebSocketMessageType.Text && JsonSerializer.Deserialize(buffer.AsSpan(0, length), WireJson.Default.SignalMessage) is { Type: SignalMessage.Welcome } welcome
            ? welcome
            : throw new InvalidDataException("the first message is no welcome");
    }

    private static async Task<T> WithinAsync<T>(TimeSpan patience, Func<CancellationToken, Task<T>> step, CancellationToken stop)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(patience);
        return await step(limit.Token);
    }
}
