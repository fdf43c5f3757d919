using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.ProxyHost;

/// <summary>Each call prints what a client saw, one fact a line.</summary>
internal static class Client
{
    /// <summary>Where nothing is to come, a second shows it.</summary>
    public static TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections, eight at a time; prints how many each server answered and how many failed.</summary>
    public static async Task<int> SpreadAsync(string to, int count)
    {
        ConcurrentDictionary<string, int> answers = new();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
        {
            string answer = await AskAsync(to, []);
            answers.AddOrUpdate(answer.Split(' ')[0], 1, (_, n) => n + 1);
        });
        Print(answers);
        return 0;
    }

    /// <summary>As <see cref="SpreadAsync"/>, one after the other until that file exists.</summary>
    public static async Task<int> SpreadUntilAsync(string to, string file)
    {
        ConcurrentDictionary<string, int> answers = new();
        while (!File.Exists(file))
        {
            string answer = await AskAsync(to, []);
            answers.AddOrUpdate(answer.Split(' ')[0], 1, (_, n) => n + 1);
            await Task.Delay(5); // a pace, not a wait: refusals come faster than anything else would get done
        }

        Print(answers);
        return 0;
    }

    /// <summary>Opens connections one after the other, and only then ends them: who has how many?</summary>
    public static async Task<int> HoldAsync(string to, int count)
    {
        ConcurrentDictionary<string, int> answers = new();
        List<Socket> open = [];
        for (int i = 0; i < count; i++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            open.Add(socket);
            try
            {
                await socket.ConnectAsync(IPEndPoint.Parse(to));
            }
            catch (SocketException)
            {
                // Its turn below says the same.
            }

            await Task.Delay(5);
        }

        foreach (Socket socket in open)
        {
            string answer = await EndAsync(socket);
            answers.AddOrUpdate(answer, 1, (_, n) => n + 1);
            socket.Dispose();
        }

        Print(answers);
        return 0;
    }

    private static async Task<string> EndAsync(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            byte[] buffer = new byte[256];
            int got = await socket.ReceiveAsync(buffer);
            return got == 0 ? "closed" : Encoding.ASCII.GetString(buffer, 0, got).Split(' ')[0];
        }
        catch (SocketException e)
        {
            // A connection that was reset before is no longer connected when its end is to be sent.
            return e.SocketErrorCode is SocketError.ConnectionReset or SocketError.NotConnected ? "reset" : $"{e.SocketErrorCode}";
        }
    }

    public static async Task<int> UploadAsync(string to, int bytes)
    {
        Console.WriteLine(await AskAsync(to, new byte[bytes]));
        return 0;
    }

    public static async Task<int> ConnectAsync(string to)
    {
        Stopwatch watch = Stopwatch.StartNew();
        string answer = await AskAsync(to, []);
        Console.WriteLine($"{answer.Split(' ')[0]}");
        await Console.Error.WriteLineAsync($"{watch.ElapsedMilliseconds} ms");
        return 0;
    }

    /// <summary>Sends so much; says once how far it came when nobody takes anything for a second, goes on when somebody does, and prints the answer.</summary>
    public static async Task<int> PushAsync(string to, int bytes)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(to));
        byte[] block = new byte[64 * 1024];
        bool wasBlocked = false;
        for (int sent = 0; sent < bytes;)
        {
            Task<int> send = socket.SendAsync(block.AsMemory(0, Math.Min(block.Length, bytes - sent))).AsTask();
            if (!wasBlocked && await Task.WhenAny(send, Task.Delay(1000)) != send)
            {
                wasBlocked = true;
                Console.WriteLine($"blocked {sent}");
            }

            sent += await send;
        }

        socket.Shutdown(SocketShutdown.Send);
        byte[] answer = new byte[256];
        Console.WriteLine(Encoding.ASCII.GetString(answer, 0, await socket.ReceiveAsync(answer)).TrimEnd());
        return 0;
    }

    /// <summary>Says "connected", ends its side only after a while, and prints the answer.</summary>
    public static async Task<int> SlowAsync(string to, int milliseconds)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        byte[] buffer = new byte[256];
        try
        {
            await socket.ConnectAsync(IPEndPoint.Parse(to));
            await socket.SendAsync("begin"u8.ToArray());
            Console.WriteLine("connected");
            Task<int> answer = socket.ReceiveAsync(buffer);
            await Task.WhenAny(answer, Task.Delay(milliseconds));
            if (!answer.IsCompleted)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            int count = await answer;
            Console.WriteLine(count == 0 ? "closed" : Encoding.ASCII.GetString(buffer, 0, count).Split(' ')[0]);
        }
        catch (SocketException e)
        {
            Console.WriteLine(e.SocketErrorCode == SocketError.ConnectionReset ? "reset" : $"{e.SocketErrorCode}");
        }

        return 0;
    }

    public static async Task<int> ResetAsync(string to)
    {
        Console.WriteLine(await AskAsync(to, "reset"u8.ToArray()));
        return 0;
    }

    public static async Task<int> DatagramAsync(string to, int bytes)
    {
        byte[] sent = new byte[bytes];
        new Random(7).NextBytes(sent);
        using UdpClient client = Open(to);
        byte[]? got = await ExchangeAsync(client, sent);
        Console.WriteLine(got is null ? "timeout" : got.Length == 0 && bytes > 0 ? "refused" : got.AsSpan().SequenceEqual(sent) ? "same" : $"different {got.Length}");
        return 0;
    }

    public static async Task<int> DatagramSpreadAsync(string to, int count)
    {
        ConcurrentDictionary<string, int> answers = new();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
        {
            using UdpClient client = Open(to);
            byte[]? got = await ExchangeAsync(client, "who"u8.ToArray());
            answers.AddOrUpdate(got is null ? "timeout" : got.Length == 0 ? "refused" : Encoding.ASCII.GetString(got), 1, (_, n) => n + 1);
        });
        Print(answers);
        return 0;
    }

    /// <summary>Prints how many of the datagrams came back.</summary>
    public static async Task<int> BurstAsync(string to, int count, int rate)
    {
        using UdpClient client = Open(to);
        client.Client.ReceiveBufferSize = 8 << 20;
        HashSet<int> back = [];
        TaskCompletionSource all = new();
        Thread reader = new(() =>
        {
            byte[] buffer = new byte[2048];
            while (true)
            {
                try
                {
                    client.Client.Receive(buffer);
                    back.Add(BitConverter.ToInt32(buffer));
                    if (back.Count == count)
                    {
                        all.TrySetResult();
                    }
                }
                catch (SocketException)
                {
                    return;
                }
            }
        })
        { IsBackground = true };
        reader.Start();
        byte[] payload = new byte[512];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            while (Stopwatch.GetElapsedTime(start).TotalSeconds * rate < i)
            {
                Thread.SpinWait(50);
            }

            BitConverter.TryWriteBytes(payload, i);
            client.Client.Send(payload);
        }

        await Task.WhenAny(all.Task, Task.Delay(TimeSpan.FromSeconds(3)));
        Console.WriteLine(back.Count);
        return 0;
    }

    /// <summary>One socket that asks "who" each 20 ms and never pauses; prints each answer that differs from the one before, until stdin ends.</summary>
    public static async Task<int> FollowAsync(string to)
    {
        using UdpClient client = Open(to);
        Task end = Task.Run(Console.In.ReadToEnd); // its asynchronous form blocks
        string last = "";
        while (!end.IsCompleted)
        {
            try
            {
                await client.SendAsync("who"u8.ToArray());
                using CancellationTokenSource wait = new(20);
                UdpReceiveResult got = await client.ReceiveAsync(wait.Token);
                string name = Encoding.ASCII.GetString(got.Buffer);
                if (name != last)
                {
                    Console.WriteLine(name);
                    last = name;
                }

                await Task.Delay(20);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // No answer this time.
            }
        }

        return 0;
    }

    private static async Task<string> AskAsync(string to, byte[] data)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using CancellationTokenSource patience = new(Patience);
        try
        {
            await socket.ConnectAsync(IPEndPoint.Parse(to), patience.Token);
            if (data.Length > 0)
            {
                await socket.SendAsync(data, patience.Token);
            }

            if (data.Length != 5)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            byte[] buffer = new byte[1024];
            int total = 0;
            while (await socket.ReceiveAsync(buffer.AsMemory(total), patience.Token) is > 0 and int count)
            {
                total += count;
            }

            return total == 0 ? "closed" : Encoding.ASCII.GetString(buffer, 0, total).TrimEnd();
        }
        catch (OperationCanceledException)
        {
            return "timeout";
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "refused",
                SocketError.ConnectionReset => "reset",
                _ => e.SocketErrorCode.ToString(),
            };
        }
    }

    private static UdpClient Open(string to)
    {
        UdpClient client = new(AddressFamily.InterNetwork);
        client.Connect(IPEndPoint.Parse(to));
        return client;
    }

    /// <returns>Null: nothing came. Empty: the kernel told that the port is unreachable.</returns>
    private static async Task<byte[]?> ExchangeAsync(UdpClient client, byte[] data)
    {
        using CancellationTokenSource patience = new(Patience);
        try
        {
            await client.SendAsync(data, patience.Token);
            return (await client.ReceiveAsync(patience.Token)).Buffer;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static void Print(IEnumerable<KeyValuePair<string, int>> answers)
    {
        foreach ((string name, int n) in answers.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            Console.WriteLine($"{name} {n}");
        }
    }
}
