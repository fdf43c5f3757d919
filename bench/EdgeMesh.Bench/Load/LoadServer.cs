using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Lab;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>The real server program on loopback, at free ports, to be killed and started again.</summary>
internal sealed class LoadServer : IAsyncDisposable
{
    private readonly string binary;
    private readonly string directory = Directory.CreateTempSubdirectory("edgemesh-load-").FullName;
    private readonly int[] ports = FreePorts(3);
    private Process? process;

    public LoadServer(string binary) => this.binary = binary;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, ports[0]);

    private string LogFile => Path.Combine(directory, "log");

    /// <summary>Starts the process; it takes a moment until it serves.</summary>
    public void Start(params string[] options)
    {
        // The shell sends the log to a file and becomes the server; setpriv ends that with this process, whatever happens here.
        process = Spawner.Start(new ProcessStartInfo("setpriv",
        [
            "--pdeathsig", "KILL", "sh", "-c", "log=$1; shift; exec \"$@\" >> \"$log\" 2>&1", "sh", LogFile, binary, "server", "--state-dir", directory,
            "--listen", EndPoint.ToString(), "--second-udp-port", Text(ports[1]), "--advertise", EndPoint.ToString(),
            "--metrics-listen", $"127.0.0.1:{ports[2]}", .. options,
        ])) ?? throw new LabException("the server did not start");
    }

    public async Task ReadyAsync(CancellationToken stop)
    {
        using HttpClient http = new();
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync(Metrics("readyz"), stop);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet, or not any more.
            }

            if (process!.HasExited)
            {
                throw new LabException($"the server ended: {string.Join('\n', File.ReadLines(LogFile).TakeLast(20))}");
            }

            await Task.Delay(20, stop);
        }
    }

    public async Task KillAsync(CancellationToken stop)
    {
        process!.Kill();
        await process.WaitForExitAsync(stop);
    }

    public async Task<JoinToken> TokenAsync(int uses, CancellationToken stop)
    {
        using Process verb = Process.Start(new ProcessStartInfo(binary, ["token", "create", "--state-dir", directory, "--uses", Text(uses)]) { RedirectStandardOutput = true })!;
        string token = await verb.StandardOutput.ReadToEndAsync(stop);
        await verb.WaitForExitAsync(stop);
        return JoinToken.TryParse(token, out JoinToken? made) ? made : throw new LabException($"no token could be made: '{token}'");
    }

    public ProcessUse Use() => LabProcess.UseOf(process!.Id);

    /// <summary>Which part of a core the server used meanwhile, and what was dropped, by reason.</summary>
    public async Task<(double Cores, IReadOnlyDictionary<string, long> Dropped)> WatchAsync(TimeSpan time, CancellationToken stop)
    {
        Dictionary<string, long> before = await DroppedAsync(stop);
        double cpu = Use().CpuSeconds;
        long began = Stopwatch.GetTimestamp();
        await Task.Delay(time, stop);
        double cores = (Use().CpuSeconds - cpu) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        Dictionary<string, long> after = await DroppedAsync(stop);
        return (cores, after.Select(d => KeyValuePair.Create(d.Key, d.Value - before.GetValueOrDefault(d.Key))).Where(d => d.Value > 0).ToDictionary());
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await KillAsync(CancellationToken.None);
        }

        process?.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    // The server's own counters, and what the kernel dropped because nobody read in time.
    private async Task<Dictionary<string, long>> DroppedAsync(CancellationToken stop)
    {
        const string Name = "edgemesh_server_dropped_total{";
        using HttpClient http = new();
        Dictionary<string, long> dropped = [];
        foreach (string line in (await http.GetStringAsync(Metrics("metrics"), stop)).Split('\n'))
        {
            if (line.StartsWith(Name, StringComparison.Ordinal))
            {
                dropped[line.Split('"')[1]] = (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
            }
        }

        string port = ":" + EndPoint.Port.ToString("X4", CultureInfo.InvariantCulture);
        dropped["kernel"] = File.ReadLines("/proc/net/udp")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[1].EndsWith("0100007F" + port, StringComparison.Ordinal))
            .Sum(fields => long.Parse(fields[^1], CultureInfo.InvariantCulture));
        return dropped;
    }

    private Uri Metrics(string page) => new($"http://127.0.0.1:{ports[2]}/{page}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    // Free for TCP and UDP alike; simulated agents have addresses of their own and cannot take them.
    private static int[] FreePorts(int count)
    {
        List<Socket> held = [];
        try
        {
            while (held.Count < 2 * count)
            {
                Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                held.Add(tcp);
                tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                held.Add(udp);
                udp.Bind(tcp.LocalEndPoint!);
            }

            return [.. held.Where((_, i) => i % 2 == 0).Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port)];
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }
}
