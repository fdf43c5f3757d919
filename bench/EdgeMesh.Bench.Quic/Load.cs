using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Bench.Quic;

/// <summary>The client pod.</summary>
internal static class Load
{
    public static int Requests(IPEndPoint to, int count, int parallel)
    {
        int left = count;
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = Enumerable.Range(0, parallel).Select(_ => new Thread(() =>
        {
            byte[] request = new byte[64];
            request[0] = (byte)'E';
            byte[] answer = new byte[64];
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using Socket socket = Connect(to);
                socket.Send(request);
                int got = 0;
                while (got < 64)
                {
                    int n = socket.Receive(answer.AsSpan(got));
                    if (n == 0)
                    {
                        throw new InvalidOperationException("the answer is cut off");
                    }

                    got += n;
                }
            }
        })).ToArray();
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Console.WriteLine($"{count / Stopwatch.GetElapsedTime(start).TotalSeconds:F0}");
        return 0;
    }

    public static int Bulk(IPEndPoint to, int megabytes, int streams)
    {
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = Enumerable.Range(0, streams).Select(_ => new Thread(() =>
        {
            byte[] chunk = new byte[256 << 10];
            chunk[0] = (byte)'S';
            using Socket socket = Connect(to);
            long left = ((long)megabytes * 1_000_000) / streams;
            while (left > 0)
            {
                left -= socket.Send(chunk.AsSpan(0, (int)Math.Min(left, chunk.Length)));
                chunk[0] = 0;
            }

            socket.Shutdown(SocketShutdown.Send);
            if (socket.Receive(chunk) != 1)
            {
                throw new InvalidOperationException("no answer after half-close");
            }
        })).ToArray();
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Console.WriteLine($"{megabytes * 8 / 1000.0 / Stopwatch.GetElapsedTime(start).TotalSeconds:F2}");
        return 0;
    }

    private static Socket Connect(IPEndPoint to)
    {
        Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(to);
        return socket;
    }
}
