using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>What came back of a burst; times in ms.</summary>
public sealed record UdpBurstOutcome(int Sent, int Received, int Lost, double P50, double P99);

/// <summary>Sends numbered datagrams at a rate to an echo server and counts what comes back.</summary>
internal static class UdpBurst
{
    public static async Task<UdpBurstOutcome> RunAsync(IPEndPoint server, int count, int perSecond, int bytes)
    {
        using Socket socket = new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.ReceiveBufferSize = 8 * 1024 * 1024;
        socket.Connect(server);
        long[] sentAt = new long[count];
        double[] took = new double[count];
        using CancellationTokenSource done = new();
        int received = 0;
        Task receiving = Task.Factory.StartNew(() =>
        {
            byte[] buffer = new byte[65536];
            socket.ReceiveTimeout = 1500;
            while (received < count)
            {
                try
                {
                    int length = socket.Receive(buffer);
                    int number = length >= 4 ? BinaryPrimitives.ReadInt32BigEndian(buffer) : -1;
                    if (number >= 0 && number < count && length == bytes && took[number] == 0)
                    {
                        took[number] = Stopwatch.GetElapsedTime(sentAt[number]).TotalMilliseconds;
                        received++;
                    }
                }
                catch (SocketException error) when (error.SocketErrorCode == SocketError.TimedOut)
                {
                    if (done.IsCancellationRequested)
                    {
                        return;
                    }
                }
                catch (SocketException)
                {
                    // An ICMP error stands for a lost datagram, which the count shows.
                }
            }
        }, TaskCreationOptions.LongRunning);

        byte[] payload = new byte[bytes];
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            while (Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond < i)
            {
                if (perSecond < 2000)
                {
                    await Task.Delay(1);
                }
                else
                {
                    Thread.SpinWait(20);
                }
            }

            BinaryPrimitives.WriteInt32BigEndian(payload, i);
            sentAt[i] = Stopwatch.GetTimestamp();
            try
            {
                socket.Send(payload);
            }
            catch (SocketException)
            {
                // As above.
            }
        }

        await done.CancelAsync();
        await receiving;
        double[] times = [.. took.Where(t => t > 0).Order()];
        return new UdpBurstOutcome(count, times.Length, count - times.Length, Percentile.Of(times, 50), Percentile.Of(times, 99));
    }
}
