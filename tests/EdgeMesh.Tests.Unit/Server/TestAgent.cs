using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A raw client of the protocol: HTTPS and WebSocket by the platform's own classes, the CA checked by fingerprint.</summary>
internal sealed class TestAgent(NodeName node, IPEndPoint server, byte[] caFingerprint) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Queue<byte[]> frames = new();
    private ClientWebSocket? socket;

    public NodeName Node { get; } = node;

    public TestKey Key { get; } = new();

    public X509Certificate2? Certificate { get; set; }

    /// <summary>What every connection begins with before TLS: the header of a front.</summary>
    public string Preamble { get; set; } = "";

    /// <summary>Below TLS of the newest connection.</summary>
    public TlsRecordMeter? Records { get; private set; }

    public ulong Session { get; private set; }

    public byte[] SessionKey { get; private set; } = [];

    public SignalMessage? Welcome { get; private set; }

    /// <summary>Posts and returns the status and either answer.</summary>
    public async Task<(HttpStatusCode Status, CertificateAnswer? Good, ErrorAnswer? Bad)> PostAsync(string path, HttpContent body)
    {
        using SocketsHttpHandler handler = new() { SslOptions = TlsOptions(), ConnectCallback = DialAsync };
        using HttpClient http = new(handler) { Timeout = Patience };
        using HttpResponseMessage response = await http.PostAsync(new Uri($"https://{server}{path}"), body);
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? (response.StatusCode, JsonSerializer.Deserialize(text, WireJson.Default.CertificateAnswer), null)
            : (response.StatusCode, null, JsonSerializer.Deserialize(text, WireJson.Default.ErrorAnswer));
    }

    public Task<(HttpStatusCode Status, CertificateAnswer? Good, ErrorAnswer? Bad)> EnrollAsync(string token) =>
        PostAsync("/v1/enroll", JsonContent.Create(new EnrollRequest(Node.Value, token, Key.Csr()), WireJson.Default.EnrollRequest));

    public Task<(HttpStatusCode Status, CertificateAnswer? Good, ErrorAnswer? Bad)> RenewAsync(TestKey? key = null) =>
        PostAsync("/v1/renew", JsonContent.Create(new RenewRequest((key ?? Key).Csr()), WireJson.Default.RenewRequest));

    public async Task EnrollAndConnectAsync(string token)
    {
        (_, CertificateAnswer? good, ErrorAnswer? bad) = await EnrollAsync(token);
        Assert.Null(bad);
        Certificate = Key.With(good!.Certificate);
        await ConnectAsync();
    }

    public async Task ConnectAsync()
    {
        socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(SignalMessage.Subprotocol);
        socket.Options.CollectHttpResponseDetails = true;
        using SocketsHttpHandler handler = new() { SslOptions = TlsOptions(), ConnectCallback = DialAsync };
        using HttpMessageInvoker invoker = new(handler, disposeHandler: false);
        using CancellationTokenSource patience = new(Patience);
        await socket.ConnectAsync(new Uri($"wss://{server}/v1/connect"), invoker, patience.Token);
        Welcome = await ReceiveTextAsync();
        Assert.Equal(SignalMessage.Welcome, Welcome.Type);
        Session = Convert.ToUInt64(Welcome.Session, 16);
        SessionKey = Convert.FromBase64String(Welcome.Key!);
    }

    /// <summary>The status with which a WebSocket was refused.</summary>
    public async Task<HttpStatusCode> RefusedConnectAsync()
    {
        await Assert.ThrowsAsync<WebSocketException>(ConnectAsync);
        return socket!.HttpStatusCode;
    }

    public byte[] Frame(NodeName to, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[RelayFrame.HeaderLength + payload.Length];
        new RelayFrame(MeshAddress.Of(to), Session).WriteHeader(frame);
        payload.CopyTo(frame.AsSpan(RelayFrame.HeaderLength));
        return frame;
    }

    /// <summary>Sends frames as the records of one message.</summary>
    public Task SendFramesAsync(params byte[][] some)
    {
        byte[] message = new byte[some.Sum(frame => frame.Length + RelayRecords.Overhead)];
        int at = 0;
        foreach (byte[] frame in some)
        {
            at += RelayRecords.Write(message.AsSpan(at), frame);
        }

        return SendRawAsync(message, WebSocketMessageType.Binary);
    }

    public Task SendSignalAsync(SignalMessage message) =>
        SendRawAsync(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Default.SignalMessage), WebSocketMessageType.Text);

    public async Task SendRawAsync(byte[] message, WebSocketMessageType type)
    {
        using CancellationTokenSource patience = new(Patience);
        await socket!.SendAsync(message, type, true, patience.Token);
    }

    /// <summary>Sends a ping and waits for its pong: what was sent before has been taken then.</summary>
    public async Task PingAsync()
    {
        string t = Guid.NewGuid().ToString();
        await SendSignalAsync(new SignalMessage { Type = SignalMessage.Ping, T = t });
        SignalMessage answer = await ReceiveTextAsync();
        Assert.Equal((SignalMessage.Pong, t), (answer.Type, answer.T));
    }

    public async Task<byte[]> ReceiveFrameAsync()
    {
        while (frames.Count == 0)
        {
            (WebSocketMessageType type, byte[] message) = await ReceiveAsync();
            Assert.Equal(WebSocketMessageType.Binary, type);
            Add(message);
        }

        return frames.Dequeue();
    }

    /// <summary>The next text message; frames that come before it are kept.</summary>
    public async Task<SignalMessage> ReceiveTextAsync()
    {
        while (true)
        {
            (WebSocketMessageType type, byte[] message) = await ReceiveAsync();
            if (type == WebSocketMessageType.Text)
            {
                return JsonSerializer.Deserialize(message, WireJson.Default.SignalMessage)!;
            }

            Assert.Equal(WebSocketMessageType.Binary, type);
            Add(message);
        }
    }

    /// <summary>Reads until the server closes and returns its code.</summary>
    public async Task<int> ReceiveCloseAsync()
    {
        while ((await ReceiveAsync()).Type != WebSocketMessageType.Close)
        {
        }

        return (int)socket!.CloseStatus!.Value;
    }

    public void Dispose()
    {
        socket?.Dispose();
        Certificate?.Dispose();
        Key.Dispose();
    }

    private void Add(byte[] message)
    {
        ReadOnlySpan<byte> rest = message;
        while (RelayRecords.TryTake(ref rest, out ReadOnlySpan<byte> frame))
        {
            frames.Enqueue(frame.ToArray());
        }

        Assert.True(rest.IsEmpty);
    }

    private async Task<(WebSocketMessageType Type, byte[] Message)> ReceiveAsync()
    {
        using CancellationTokenSource patience = new(Patience);
        byte[] buffer = new byte[RelayRecords.MaxMessage];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket!.ReceiveAsync(buffer.AsMemory(length), patience.Token);
            length += part.Count;
            if (part.EndOfMessage)
            {
                return (part.MessageType, buffer[..length]);
            }
        }
    }

    private async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        Socket connection = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await connection.ConnectAsync(server, stop);
        if (Preamble.Length > 0)
        {
            await connection.SendAsync(Encoding.ASCII.GetBytes(Preamble), stop);
        }

        return Records = new TlsRecordMeter(new NetworkStream(connection, ownsSocket: true));
    }

    /// <summary>As an agent does it at the first contact: the chain's root must have the token's fingerprint.</summary>
    private SslClientAuthenticationOptions TlsOptions() => new()
    {
        TargetHost = "edgemesh-server",
        ClientCertificates = Certificate is null ? null : [Certificate],
        LocalCertificateSelectionCallback = (_, _, _, _, _) => Certificate!,
        RemoteCertificateValidationCallback = (_, leaf, chain, _) =>
        {
            X509Certificate2? root = chain!.ChainPolicy.ExtraStore.Concat(chain.ChainElements.Select(element => element.Certificate))
                .FirstOrDefault(certificate => SHA256.HashData(certificate.RawData).AsSpan().SequenceEqual(caFingerprint));
            if (root is null)
            {
                return false;
            }

            using X509Chain own = new();
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.CustomTrustStore.Add(root);
            own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            using X509Certificate2 copy = X509CertificateLoader.LoadCertificate(leaf!.GetRawCertData());
            return own.Build(copy) && copy.MatchesHostname("edgemesh-server");
        },
    };
}
