using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>Two agents' data paths on real sockets: TCP client → splice → QUIC → splice → TCP server.</summary>
internal sealed class LoopbackPair : IAsyncDisposable
{
    private readonly Reactor near = new("near", NullLogger.Instance);
    private readonly Reactor far = new("far", NullLogger.Instance);
    private readonly Socket target = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket entry = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly UdpSocket nearSocket;
    private readonly UdpSocket farSocket;
    private readonly QuicEndpoint nearEndpoint;
    private readonly QuicEndpoint farEndpoint;

    public LoopbackPair()
    {
        TestPki pki = new();
        IPEndPoint loopback = new(IPAddress.Loopback, 0);
        target.Bind(loopback);
        target.Listen(64);
        entry.Bind(loopback);
        entry.Listen(64);
        QuicEndpointOptions options = new() { ResetSecret = RandomNumberGenerator.GetBytes(32) };
        farEndpoint = new QuicEndpoint(far, options, pki.Issue("far"), _ => new Far(this), NullLogger.Instance);
        nearEndpoint = new QuicEndpoint(near, options, pki.Issue("near"), _ => null, NullLogger.Instance);
        UdpSocket? farUdp = null;
        farSocket = farUdp = UdpSocket.Open(far, loopback, new UdpSocketOptions(), (in UdpAddress from, Span<byte> train, int size) =>
            farEndpoint.Receive(train, size, new UdpOutput(farUdp!, from)));
        UdpOutput? toFar = null;
        nearSocket = UdpSocket.Open(near, loopback, new UdpSocketOptions(), (in UdpAddress from, Span<byte> train, int size) =>
            nearEndpoint.Receive(train, size, toFar!));
        toFar = new UdpOutput(nearSocket, UdpAddress.From(farSocket.LocalEndPoint));
        near.Start();
        far.Start();
        near.Post(() => Connection = nearEndpoint.Connect(toFar, new Near(this)));
    }

    public IPEndPoint FarAddress => farSocket.LocalEndPoint;

    public TaskCompletionSource Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<TcpSplice> NearDone { get; } = [];

    public List<TcpSplice> FarDone { get; } = [];

    public int Closes { get; private set; }

    private QuicConnection? Connection { get; set; }

    /// <summary>A TCP connection through both agents: its two ends.</summary>
    public async Task<(Socket Client, Socket Server)> OpenAsync()
    {
        await Connected.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(entry.LocalEndPoint!);
        Socket accepted = await entry.AcceptAsync();
        near.Post(
            s =>
            {
                QuicStream stream = Connection!.OpenStream()!;
                stream.Write("h"u8);
                new TcpSplice(ReactorTcp.Adopt(near, s, new NoEvents()), stream, NearDone.Add).Start(default, false);
            },
            accepted);
        Socket server = await target.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(20));
        return (client, server);
    }

    /// <summary>A look at the near loop's state, from inside it.</summary>
    public Task<T> AskNear<T>(Func<T> question) => Ask(near, question);

    public Task<T> AskFar<T>(Func<T> question) => Ask(far, question);

    public async ValueTask DisposeAsync()
    {
        await Ask(near, () =>
        {
            nearEndpoint.Dispose();
            nearSocket.Dispose();
            return 0;
        });
        await Ask(far, () =>
        {
            farEndpoint.Dispose();
            farSocket.Dispose();
            return 0;
        });
        await near.DisposeAsync();
        await far.DisposeAsync();
        target.Dispose();
        entry.Dispose();
    }

    private static Task<T> Ask<T>(Reactor reactor, Func<T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() =>
        {
            try
            {
                answer.SetResult(question());
            }
            catch (Exception e)
            {
                answer.SetException(e);
            }
        });
        return answer.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private sealed class NoEvents : ITcpEvents
    {
        public void OnConnected()
        {
        }

        public void OnFailed(SocketError error)
        {
        }

        public void OnReadable()
        {
        }

        public void OnWritable()
        {
        }
    }

    private sealed class Near(LoopbackPair pair) : IQuicHandler
    {
        public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer) => true;

        public void OnConnected(QuicConnection connection) => pair.Connected.SetResult();

        public void OnStreamOpened(QuicConnection connection, QuicStream stream)
        {
        }

        public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload)
        {
        }

        public void OnClosed(QuicConnection connection, QuicCloseReason reason) => pair.Closes++;
    }

    /// <summary>Reads a one-byte header, dials, and splices what came behind it: as the tunnel will.</summary>
    private sealed class Far(LoopbackPair pair) : IQuicHandler
    {
        public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer) => true;

        public void OnConnected(QuicConnection connection)
        {
        }

        public void OnStreamOpened(QuicConnection connection, QuicStream stream) => stream.Handler = new Dial(pair, stream);

        public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload)
        {
        }

        public void OnClosed(QuicConnection connection, QuicCloseReason reason)
        {
        }
    }

    private sealed class Dial(LoopbackPair pair, QuicStream stream) : IStreamHandler, ITcpEvents
    {
        private readonly List<byte> early = [];
        private ReactorTcp? tcp;
        private bool fin;

        public void OnData(QuicStream s, ReadOnlySpan<byte> data, bool isFin)
        {
            if (tcp is null)
            {
                s.Consume(1);
                data = data[1..];
                tcp = ReactorTcp.Connect(pair.far, (IPEndPoint)pair.target.LocalEndPoint!, null, this);
            }

            early.AddRange(data);
            fin |= isFin;
        }

        public void OnConnected() =>
            new TcpSplice(tcp!, stream, pair.FarDone.Add).Start(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(early), fin);

        public void OnFailed(SocketError error) => stream.Reset(1);

        public void OnWritable(QuicStream s)
        {
        }

        public void OnReset(QuicStream s, ulong code)
        {
        }

        public void OnStopSending(QuicStream s, ulong code)
        {
        }

        public void OnClosed(QuicStream s)
        {
        }

        public void OnReadable()
        {
        }

        public void OnWritable()
        {
        }
    }
}
