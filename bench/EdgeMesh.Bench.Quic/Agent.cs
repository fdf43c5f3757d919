using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Bench.Quic;

/// <summary>An agent reduced to its data path: TCP, splice, QUIC, one UDP socket.</summary>
internal static class Agent
{
    public static int RunFar(string directory, IPEndPoint udp, IPEndPoint target)
    {
        Reactor reactor = new("far", NullLogger.Instance);
        reactor.Start();
        FarHandler handler = new(reactor, target);
        QuicEndpoint endpoint = new(reactor, Options(), Credentials(directory), _ => handler, NullLogger.Instance);
        Dictionary<UdpAddress, UdpOutput> outputs = [];
        UdpSocket socket = null!;
        socket = UdpSocket.Open(reactor, udp, new UdpSocketOptions(), (in UdpAddress from, Span<byte> train, int segmentSize) =>
        {
            if (!outputs.TryGetValue(from, out UdpOutput? output))
            {
                outputs[from] = output = new UdpOutput(socket, from);
            }

            endpoint.Receive(train, segmentSize, output);
        });
        Console.WriteLine("ready");
        Serve(reactor, () => handler.Connection);
        return 0;
    }

    public static int RunNear(string directory, IPEndPoint udp, IPEndPoint far, IPEndPoint listen)
    {
        Reactor reactor = new("near", NullLogger.Instance);
        reactor.Start();
        NearHandler handler = new();
        QuicEndpoint endpoint = new(reactor, Options(), Credentials(directory), _ => null, NullLogger.Instance);
        UdpOutput output = null!;
        UdpSocket socket = UdpSocket.Open(reactor, udp, new UdpSocketOptions(), (in UdpAddress from, Span<byte> train, int segmentSize) =>
            endpoint.Receive(train, segmentSize, output));
        output = new UdpOutput(socket, UdpAddress.From(far));
        QuicConnection connection = null!;
        reactor.Post(() => connection = endpoint.Connect(output, handler));
        socket.Writable += () => connection.OutputWritable();
        handler.Connected.Task.Wait();

        Socket listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(listen);
        listener.Listen(512);
        Thread acceptor = new(() =>
        {
            while (true)
            {
                Socket client = listener.Accept();
                reactor.Post(
                    s =>
                    {
                        QuicStream? stream = connection.OpenStream();
                        if (stream is null)
                        {
                            s.Dispose();
                            return;
                        }

                        new TcpSplice(ReactorTcp.Adopt(reactor, s, Silent.Instance), stream, static _ => { }).Start(default, false);
                    },
                    client);
            }
        })
        { IsBackground = true };
        acceptor.Start();
        Console.WriteLine("ready");
        Serve(reactor, () => connection);
        return 0;
    }

    private static void Serve(Reactor reactor, Func<QuicConnection?> connection)
    {
        // Each line read is a question for the state of congestion control.
        while (Console.ReadLine() is not null)
        {
            reactor.Post(() =>
            {
                QuicConnectionStats s = connection()?.Stats ?? default;
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"cwnd {s.CongestionWindow / 1000} kB, min rtt {s.MinRoundTrip / 1000} us, rtt {s.SmoothedRoundTrip / 1000} us, packets out {s.PacketsOut}, in {s.PacketsIn}"));
            });
        }
    }

    private static QuicEndpointOptions Options()
    {
        QuicEndpointOptions options = new() { ResetSecret = RandomNumberGenerator.GetBytes(32) };
        if (Environment.GetEnvironmentVariable("BENCH_GRAIN_US") is { Length: > 0 } grain)
        {
            options = options with { ClockGrain = long.Parse(grain, CultureInfo.InvariantCulture) * 1000 };
        }

        if (Environment.GetEnvironmentVariable("BENCH_CC") is { Length: > 0 } cc)
        {
            options = options with { CongestionControl = Enum.Parse<QuicCongestionControl>(cc, true) };
        }

        return options with { MaxDatagramSize = Math.Max(1452, UdpOutput.Size) };
    }

    public static QuicCredentials Credentials(string directory) => QuicCredentials.FromPem(
        File.ReadAllText(Path.Combine(directory, "ca.pem")),
        File.ReadAllText(Path.Combine(directory, "node.pem")),
        File.ReadAllText(Path.Combine(directory, "node.key")));

    public sealed class UdpOutput(UdpSocket socket, UdpAddress to) : IQuicOutput
    {
        public static readonly int Size = int.TryParse(Environment.GetEnvironmentVariable("BENCH_MTU"), out int size) ? size : 1452;

        public int HeaderRoom => 0;

        public int MaxDatagramSize => Size;

        public bool Send(Span<byte> train, int segmentSize) => socket.Send(to, train, segmentSize) != SendResult.WouldBlock;
    }

    private sealed class NearHandler : IQuicHandler
    {
        public TaskCompletionSource Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer) => true;

        public void OnConnected(QuicConnection connection) => Connected.TrySetResult();

        public void OnStreamOpened(QuicConnection connection, QuicStream stream)
        {
        }

        public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload)
        {
        }

        public void OnClosed(QuicConnection connection, QuicCloseReason reason)
        {
            Connected.TrySetException(new InvalidOperationException(reason.ToString()));
            Console.Error.WriteLine(reason);
        }
    }

    private sealed class FarHandler(Reactor reactor, IPEndPoint target) : IQuicHandler
    {
        public QuicConnection? Connection { get; private set; }

        public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer) => true;

        public void OnConnected(QuicConnection connection) => Connection = connection;

        public void OnStreamOpened(QuicConnection connection, QuicStream stream)
        {
            ReactorTcp tcp = ReactorTcp.Connect(reactor, target, null, Silent.Instance);
            new TcpSplice(tcp, stream, static _ => { }).Start(default, false);
        }

        public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload)
        {
        }

        public void OnClosed(QuicConnection connection, QuicCloseReason reason) => Console.Error.WriteLine(reason);
    }

    private sealed class Silent : ITcpEvents
    {
        public static readonly Silent Instance = new();

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
}
