using System.Security.Cryptography;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>Two real ngtcp2 ends on a simulated network with virtual time.</summary>
internal sealed class QuicPair : IDisposable
{
    private readonly QuicEndpointOptions options;
    private readonly QuicCredentials clientCredentials;
    private readonly QuicCredentials serverCredentials;

    public QuicPair(
        int seed = 1,
        QuicEndpointOptions? options = null,
        QuicCredentials? client = null,
        QuicCredentials? server = null)
    {
        TestPki pki = new();
        this.options = options ?? Options();
        clientCredentials = client ?? pki.Issue("node-a");
        serverCredentials = server ?? pki.Issue("node-b");
        Random random = new(seed);
        ToServer = new SimulatedPath(Driver, random);
        ToClient = new SimulatedPath(Driver, random) { Back = ToServer };
        ToServer.Back = ToClient;
        ClientEndpoint = new QuicEndpoint(Driver, this.options, clientCredentials, _ => null, NullLogger.Instance);
        ServerEndpoint = CreateServer();
        ToServer.To = ServerEndpoint;
        ToClient.To = ClientEndpoint;
    }

    public VirtualDriver Driver { get; } = new();

    public SimulatedPath ToServer { get; }

    public SimulatedPath ToClient { get; }

    public QuicEndpoint ClientEndpoint { get; }

    public QuicEndpoint ServerEndpoint { get; private set; }

    public RecordingHandler ClientHandler { get; } = new();

    public RecordingHandler ServerHandler { get; private set; } = new();

    public QuicConnection Client { get; private set; } = null!;

    public QuicConnection Server { get; private set; } = null!;

    public bool AcceptsConnections { get; set; } = true;

    public int Accepts { get; private set; }

    public static QuicEndpointOptions Options() => new() { ResetSecret = RandomNumberGenerator.GetBytes(32) };

    public static byte[] RandomBytes(int count, int seed = 7)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public QuicPair Start()
    {
        Client = ClientEndpoint.Connect(ToServer, ClientHandler);
        return this;
    }

    public QuicPair Connect()
    {
        Start();
        Driver.Until(() => ClientHandler.Connected == 1 && ServerHandler.Connected == 1, 30, "the handshake");
        return this;
    }

    /// <summary>Ends the connection and begins another one with the ticket of the first.</summary>
    public QuicPair ComeBack(byte[]? ticket = null)
    {
        byte[] given = ticket ?? ClientHandler.Ticket;
        Client.Close(0, "done");
        Driver.Until(() => ClientHandler.Closes.Count == 1 && ServerHandler.Closes.Count == 1, 30, "the end");
        ClientHandler.ForgetAll();
        ServerHandler.ForgetAll();
        return Reconnect(given);
    }

    public QuicPair Reconnect(byte[] ticket)
    {
        Client = ClientEndpoint.Connect(ToServer, ClientHandler, ticket);
        return this;
    }

    /// <summary>A stream that both sides know, without a byte on the record.</summary>
    public (RecordingStream Client, RecordingStream Server) Open()
    {
        int before = ServerHandler.Streams.Count;
        RecordingStream client = new(Client.OpenStream()!);
        client.Send(new byte[1], finish: false);
        Driver.Until(() => ServerHandler.Streams.Count > before && ServerHandler.Streams[before].Received == 1, 30, "the stream");
        ServerHandler.Streams[before].StartAnew();
        return (client, ServerHandler.Streams[before]);
    }

    public (RecordingStream Client, RecordingStream Server) Open(byte[] first)
    {
        (RecordingStream client, RecordingStream server) = Open();
        client.Send(first, finish: false);
        Driver.Until(() => server.Received == first.Length, 30, "the first bytes");
        return (client, server);
    }

    /// <summary>The server's process ends without a word and a new one with the same secret takes its place.</summary>
    public void RestartServer()
    {
        ToServer.To = null;
        ServerHandler = new RecordingHandler();
        ServerEndpoint = CreateServer();
        ToServer.To = ServerEndpoint;
    }

    public void Dispose()
    {
        ClientEndpoint.Dispose();
        ServerEndpoint.Dispose();
        clientCredentials.Dispose();
        serverCredentials.Dispose();
    }

    private QuicEndpoint CreateServer() => new(
        Driver,
        options,
        serverCredentials,
        c =>
        {
            Accepts++;
            Server = c;
            return AcceptsConnections ? ServerHandler : null;
        },
        NullLogger.Instance);
}
