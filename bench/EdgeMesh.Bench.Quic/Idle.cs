using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Bench.Quic;

/// <summary>Memory and CPU of idle connections, both ends of each in this process.</summary>
internal static class Idle
{
    public static int Run(int count)
    {
        string directory = Directory.CreateTempSubdirectory("quic-idle-").FullName;
        Scenario.WriteCertificates(directory);
        using QuicCredentials credentials = Agent.Credentials(directory);
        Directory.Delete(directory, true);
        Reactor reactor = new("idle", NullLogger.Instance);
        reactor.Start();
        QuicEndpointOptions options = new() { ResetSecret = RandomNumberGenerator.GetBytes(32), MaxConnections = count + 1 };
        QuicEndpoint near = new(reactor, options, credentials, _ => null, NullLogger.Instance);
        Counting handler = new();
        QuicEndpoint far = new(reactor, options, credentials, _ => new Counting(), NullLogger.Instance);
        Agent.UdpOutput toFar = null!;
        Agent.UdpOutput toNear = null!;
        IPEndPoint loopback = new(IPAddress.Loopback, 0);
        UdpSocket nearSocket = UdpSocket.Open(reactor, loopback, new UdpSocketOptions(), (in UdpAddress _, Span<byte> train, int size) => near.Receive(train, size, toFar));
        UdpSocket farSocket = UdpSocket.Open(reactor, loopback, new UdpSocketOptions(), (in UdpAddress _, Span<byte> train, int size) => far.Receive(train, size, toNear));
        toFar = new Agent.UdpOutput(nearSocket, UdpAddress.From(farSocket.LocalEndPoint));
        toNear = new Agent.UdpOutput(farSocket, UdpAddress.From(nearSocket.LocalEndPoint));
        Connect(1);
        GC.Collect();
        long before = Resident();
        long start = Stopwatch.GetTimestamp();
        Connect(count);
        double handshakes = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        GC.Collect();
        long after = Resident();
        using Process self = Process.GetCurrentProcess();
        TimeSpan cpu = self.TotalProcessorTime;
        Thread.Sleep(10_000);
        self.Refresh();
        double idle = (self.TotalProcessorTime - cpu).TotalMilliseconds / 10;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} idle connections: {(after - before) / count / 2} kB for each end, {idle:F2} ms CPU a second for all; {handshakes:F0} handshakes a second, both ends on one thread"));
        return 0;

        void Connect(int number)
        {
            int target = Volatile.Read(ref handler.Connected) + number;
            for (int i = 0; i < number; i++)
            {
                int expected = target - number + i;
                reactor.Post(() => near.Connect(toFar, handler));
                SpinWait.SpinUntil(() => Volatile.Read(ref handler.Connected) > expected);
            }
        }
    }

    private static long Resident() => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private sealed class Counting : IQuicHandler
    {
        public int Connected;

        public bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer) => true;

        public void OnConnected(QuicConnection connection) => Interlocked.Increment(ref Connected);

        public void OnStreamOpened(QuicConnection connection, QuicStream stream)
        {
        }

        public void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload)
        {
        }

        public void OnClosed(QuicConnection connection, QuicCloseReason reason) => Console.Error.WriteLine(reason);
    }
}
