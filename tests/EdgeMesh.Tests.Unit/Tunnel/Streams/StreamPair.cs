using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tests.Unit.Quic;
using EdgeMesh.Tunnel.Streams;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.Streams;

/// <summary>A near and a far agent's streams over one real QUIC connection on loopback, without paths, relay or identity.</summary>
internal sealed class StreamPair : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Reactor reactor = new("pair", NullLogger.Instance);
    private readonly UdpSocket nearSocket;
    private readonly UdpSocket farSocket;
    private readonly TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QuicEndpoint? near;
    private QuicEndpoint? far;
    private QuicConnection? nearConnection;

    /// <param name="files">How many files the far agent may have open.</param>
    public StreamPair(int files = int.MaxValue)
    {
        Acceptor = new StreamAcceptor((protocol, endpoint) => IsMine(protocol, endpoint), 0, new FileReserve(files), NullLogger.Instance);
        nearSocket = UdpSocket.Open(reactor, new IPEndPoint(IPAddress.Loopback, 0), new UdpSocketOptions(), OnNear);
        farSocket = UdpSocket.Open(reactor, new IPEndPoint(IPAddress.Loopback, 0), new UdpSocketOptions(), OnFar);
    }

    public Func<TransportProtocol, IPEndPoint, bool> IsMine { get; set; } = (_, _) => true;

    /// <summary>Whether the far agent's packets reach the near one.</summary>
    public bool FarIsMute { get; set; }

    public StreamAcceptor Acceptor { get; }

    public FlowTable NearFlows { get; private set; } = null!;

    public FlowTable FarFlows { get; private set; } = null!;

    public async Task ConnectAsync()
    {
        reactor.Start();
        reactor.Post(() =>
        {
            TestPki pki = new();
            NearFlows = new FlowTable(reactor, evenIds: true, Acceptor, () => { });
            FarFlows = new FlowTable(reactor, evenIds: false, Acceptor, () => { });
            QuicEndpointOptions options = new() { ResetSecret = new byte[32] };
            near = new QuicEndpoint(reactor, options, pki.Issue("near"), _ => null, NullLogger.Instance);
            far = new QuicEndpoint(reactor, options, pki.Issue("far"), connection => new Side(this, isFar: true), NullLogger.Instance);
            nearConnection = near.Connect(new UdpOutput(nearSocket, UdpAddress.From(farSocket.LocalEndPoint)), new Side(this, isFar: false));
        });
        await connected.Task.WaitAsync(Patience);
    }

    /// <summary>What the proxy does: hands over an accepted socket.</summary>
    public async Task<TcpForwardResult> ForwardAsync(Socket client, IPEndPoint endpoint, ReadOnlyMemory<byte> replay = default)
    {
        ForwardedTcp forwarded = new(reactor, Target(endpoint, TransportProtocol.Tcp), client, replay);
        reactor.Post(() => forwarded.Start(nearConnection!.OpenStream()!, false, () => { }));
        return await forwarded.Completion.WaitAsync(Patience);
    }

    public void CutConnection() => reactor.Post(() => nearConnection!.Close(0, "cut"));

    public static DialTarget Target(IPEndPoint endpoint, TransportProtocol protocol) =>
        new(NodeName.Parse("far"), protocol, endpoint, new ServiceName("default", "test"), new IPEndPoint(IPAddress.Loopback, 1));

    public async ValueTask DisposeAsync()
    {
        reactor.Post(() =>
        {
            NearFlows.Dispose();
            FarFlows.Dispose();
            near?.Dispose();
            far?.Dispose();
            nearSocket.Dispose();
            farSocket.Dispose();
        });
        await reactor.DisposeAsync();
    }

    private void OnNear(in UdpAddress from, Span<byte> train, int segmentSize)
    {
        if (!FarIsMute)
        {
            near?.Receive(train, segmentSize, new UdpOutput(nearSocket, UdpAddress.From(farSocket.LocalEndPoint)));
        }
    }

    private void OnFar(in UdpAddress from, Span<byte> train, int segmentSize) =>
        far?.Receive(train, segmentSize, new UdpOutput(farSocket, UdpAddress.From(nearSocket.LocalEndPoint)));

    private sealed class Side(StreamPair pair, bool isFar) : IQuicHandler
    {
        private FlowTable Flows => isFar ? pair.FarFlows : pair.NearFlows;

        public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer) => true;

        public void OnConnected(QuicConnection connection)
        {
            Flows.Attach(connection);
            if (!isFar)
            {
                pair.connected.TrySetResult();
            }
        }

        public void OnStreamOpened(QuicConnection connection, QuicStream stream) =>
            stream.Handler = new AcceptedStream(pair.reactor, stream, pair.Acceptor, () => { });

        public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload) => Flows.OnDatagram(payload);

        public void OnStreamsAvailable(QuicConnection connection)
        {
        }

        public void OnClosed(QuicConnection connection, QuicCloseReason reason) => Flows.Attach(null);
    }
}
