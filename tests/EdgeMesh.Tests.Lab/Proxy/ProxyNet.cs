using System.Diagnostics;
using System.Globalization;

namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>
/// One node with the proxy, two pods on a bridge, and two peers with a server each behind the uplink. The proxy runs with a
/// peer dialler in the tunnel's place (tests/EdgeMesh.ProxyHost), so what is tested is this room and the kernel alone.
/// </summary>
internal sealed class ProxyNet : IAsyncDisposable
{
    private static int count;

    private readonly string prefix = string.Create(CultureInfo.InvariantCulture, $"px{Environment.ProcessId}x{Interlocked.Increment(ref count)}");
    private readonly List<Process> processes = [];
    private Process? proxy;

    public string Manifests { get; } = Directory.CreateTempSubdirectory("proxy-lab-").FullName;

    public string Node => $"{prefix}n";

    public string Pod1 => $"{prefix}p1";

    public string Pod2 => $"{prefix}p2";

    public string Peer2 => $"{prefix}r2";

    public string Peer3 => $"{prefix}r3";

    public List<string> ProxyOutput { get; } = [];

    /// <summary>RLIMIT_NOFILE of the proxy; null for that of the tests.</summary>
    public int? ProxyFiles { get; init; }

    /// <param name="bridgeCall">bridge-nf-call-iptables in the node's namespace.</param>
    /// <param name="proxyFiles">As <see cref="ProxyFiles"/>.</param>
    public static async Task<ProxyNet> RaiseAsync(bool bridgeCall = false, int? proxyFiles = null)
    {
        ProxyNet net = new() { ProxyFiles = proxyFiles };
        string n = net.Node;
        foreach (string name in net.Names)
        {
            await ShAsync($"ip netns add {name} && ip -n {name} link set lo up");
        }

        await ShAsync($"""
            ip -n {n} link add docker0 type bridge && ip -n {n} addr add 172.17.0.1/16 dev docker0 && ip -n {n} link set docker0 up
            ip -n {n} link add br-up type bridge && ip -n {n} addr add 10.99.0.1/24 dev br-up && ip -n {n} link set br-up up
            ip netns exec {n} sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables={(bridgeCall ? 1 : 0)}
            ip netns exec {n} sysctl -qw net.ipv4.icmp_ratelimit=0
            ip netns exec {n} sysctl -qw net.ipv4.icmp_msgs_per_sec=10000 net.ipv4.icmp_msgs_burst=1000 2>/dev/null || true
            """);
        for (int i = 1; i <= 2; i++)
        {
            string pod = $"{net.prefix}p{i}";
            string peer = $"{net.prefix}r{i + 1}";
            await ShAsync($"""
                ip -n {n} link add veth{i} type veth peer name eth0 netns {pod} && ip -n {n} link set veth{i} master docker0 up
                ip -n {pod} addr add 172.17.0.{i + 1}/16 dev eth0 && ip -n {pod} link set eth0 up && ip -n {pod} route add default via 172.17.0.1
                ip -n {n} link add up{i} type veth peer name eth0 netns {peer} && ip -n {n} link set up{i} master br-up up
                ip -n {peer} addr add 10.99.0.{i + 1}/24 dev eth0 && ip -n {peer} link set eth0 up && ip -n {peer} route add default via 10.99.0.1
                """);
        }

        await net.ServeAsync(net.Pod1, "pod1", 8080);
        await net.ServeAsync(net.Pod2, "pod2", 8080);
        await net.ServeAsync(net.Peer2, "edge2", 8080);
        await net.ServeAsync($"{net.prefix}r3", "edge3", 8080);
        await File.WriteAllTextAsync(Path.Combine(net.Manifests, "node.yaml"), """
            apiVersion: v1
            kind: Node
            metadata: {name: edge1}
            status: {addresses: [{type: InternalIP, address: 10.99.0.1}]}
            """);
        return net;
    }

    /// <summary>Writes Service <paramref name="name"/> with TCP and UDP port 80 and waits until its rules are in the kernel.</summary>
    /// <param name="name">Service in namespace default.</param>
    /// <param name="clusterIp">Its address.</param>
    /// <param name="endpoints"><c>address@node[:port]</c>, port 8080 if none.</param>
    public Task ServiceAsync(string name, string clusterIp, params string[] endpoints) => ServiceWithAsync(name, clusterIp, "", endpoints);

    /// <param name="name">As in <see cref="ServiceAsync"/>.</param>
    /// <param name="clusterIp">As in <see cref="ServiceAsync"/>.</param>
    /// <param name="spec">
    /// Further fields, one a line: <c>nodePort: 30080</c> goes to the ports (UDP gets the same), <c>ingress: 1.2.3.4</c> to the
    /// status, all others to the spec.
    /// </param>
    /// <param name="endpoints">As in <see cref="ServiceAsync"/>; words after the first are fields: <c>172.17.0.3@edge1 conditions: {ready: false}</c>.</param>
    public async Task ServiceWithAsync(string name, string clusterIp, string spec, params string[] endpoints)
    {
        string[] fields = spec.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? Field(string key) => fields.FirstOrDefault(f => f.StartsWith(key, StringComparison.Ordinal))?[key.Length..].Trim();
        string nodePort = Field("nodePort:") is string number ? $", nodePort: {number}" : "";
        string more = string.Concat(fields.Where(f => !f.StartsWith("nodePort:", StringComparison.Ordinal) && !f.StartsWith("ingress:", StringComparison.Ordinal))
            .Select(f => $"  {f}\n"));
        string status = Field("ingress:") is string ingress ? $"status: {{loadBalancer: {{ingress: [{{ip: {ingress}}}]}}}}\n" : "";
        string text = $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{name}}}
            spec:
              clusterIP: {{clusterIp}}
              clusterIPs: [{{clusterIp}}]
              ports: [{name: t, port: 80, protocol: TCP{{nodePort}}}, {name: u, port: 80, protocol: UDP{{nodePort}}}]
            {{more}}{{status}}
            """ + "\n";
        foreach (IGrouping<string, string[]> port in endpoints.Select(Parts).GroupBy(e => e[2]))
        {
            text += $$$"""
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: {{{name}}}-{{{port.Key}}}, labels: {kubernetes.io/service-name: {{{name}}}}}
                addressType: IPv4
                ports: [{name: t, port: {{{port.Key}}}, protocol: TCP}, {name: u, port: {{{port.Key}}}, protocol: UDP}]
                endpoints:

                """;
            text += string.Concat(port.Select(e => $"- {{addresses: [{e[0]}], nodeName: {e[1]}{(e[3].Length > 0 ? ", " + e[3] : "")}}}\n"));
        }

        static string[] Parts(string text)
        {
            string[] words = text.Split(' ', 2);
            string[] place = words[0].Split('@', ':');
            return [place[0], place[1], place.Length > 2 ? place[2] : "8080", words.Length > 1 ? words[1] : ""];
        }

        await ApplyAsync(name, text);
    }

    /// <summary>Writes a manifest and waits until its rules are in the kernel.</summary>
    public async Task ApplyAsync(string name, string text)
    {
        string file = Path.Combine(Manifests, $"{name}.yaml");
        await File.WriteAllTextAsync(file + ".new", text);
        int seen = Count("rules");
        File.Move(file + ".new", file, overwrite: true);
        if (proxy is not null)
        {
            await UntilAsync(() => Task.FromResult(Count("rules") > seen), TimeSpan.FromSeconds(10), "rules after a manifest");
        }
    }

    public async Task StartProxyAsync(params string[] more)
    {
        int seen = Count("rules written");
        proxy = Start(Node, ["proxy", "edge1", Manifests, "edge2=10.99.0.2", "edge3=10.99.0.3", .. more], line =>
        {
            lock (ProxyOutput)
            {
                ProxyOutput.Add(line);
            }
        }, ProxyFiles is int files ? ["prlimit", $"--nofile={files}:{files}"] : []);
        await UntilAsync(
            () => Task.FromResult(Count("rules written") > seen ? true : Count("refused") == 0 ? false : throw new InvalidOperationException(string.Join('\n', ProxyOutput))),
            TimeSpan.FromSeconds(60), "first rules");
    }

    public int ProxyId => proxy!.Id;

    public async Task StopProxyAsync()
    {
        await ShAsync($"kill -TERM {proxy!.Id}");
        await proxy.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token);
        proxy.Dispose();
        proxy = null;
    }

    public async Task KillProxyAsync()
    {
        proxy!.Kill();
        await proxy.WaitForExitAsync();
        proxy.Dispose();
        proxy = null;
    }

    /// <summary>Runs a client of tests/EdgeMesh.ProxyHost in a namespace and returns what it printed.</summary>
    public static async Task<string> RunAsync(string space, params string[] arguments)
    {
        (int _, string output) = await CommandAsync("ip", ["netns", "exec", space, "dotnet", HostProgram, .. arguments]);
        return output.Trim();
    }

    /// <summary>As <see cref="RunAsync"/>, for the clients that count answers by name.</summary>
    public static async Task<Dictionary<string, int>> CountAsync(string space, params string[] arguments) =>
        (await RunAsync(space, arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' '))
            .ToDictionary(p => p[0], p => int.Parse(p[1], CultureInfo.InvariantCulture));

    public Task<string> NftAsync(string arguments) => OutputAsync($"ip netns exec {Node} nft {arguments}");

    public static async Task<string> OutputAsync(string command) => (await CommandAsync("sh", ["-c", command])).Output;

    public static async Task ShAsync(string script)
    {
        (int code, string output) = await CommandAsync("sh", ["-ec", script]);
        Assert.True(code == 0, $"{script}\n{output}");
    }

    public static async Task<(int Code, string Output)> CommandAsync(string name, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + await errors);
    }

    /// <summary>Looks every 20 ms: what the kernel does has no event here.</summary>
    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> holds, TimeSpan limit, string what)
    {
        long start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < limit, $"waited {limit} for: {what}");
            await timer.WaitForNextTickAsync();
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Starts a program of the host in a namespace; the caller feeds its standard input.</summary>
    public Process Start(string space, string[] arguments, Action<string> onLine, params string[] before)
    {
        ProcessStartInfo start = new("ip", ["netns", "exec", space, .. before, "dotnet", HostProgram, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is not null)
            {
                onLine(e.Data);
            }
        };
        process.BeginOutputReadLine();
        processes.Add(process);
        return process;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in processes)
        {
            try
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }

                process.Dispose();
            }
            catch (InvalidOperationException)
            {
                // Disposed by the test already.
            }
        }

        foreach (string name in Names)
        {
            await ShAsync($"ip netns del {name}");
        }

        Directory.Delete(Manifests, recursive: true);
    }

    public static string HostProgram
    {
        get
        {
            // tests/EdgeMesh.Tests.Lab/bin/<configuration>/net10.0/ → the same below tests/EdgeMesh.ProxyHost.
            string own = AppContext.BaseDirectory.TrimEnd('/');
            return own.Replace("EdgeMesh.Tests.Lab", "EdgeMesh.ProxyHost", StringComparison.Ordinal) + "/EdgeMesh.ProxyHost.dll";
        }
    }

    private string[] Names => [Node, Pod1, Pod2, Peer2, $"{prefix}r3"];

    private int Count(string word)
    {
        lock (ProxyOutput)
        {
            return ProxyOutput.Count(l => l.Contains(word, StringComparison.Ordinal));
        }
    }

    public async Task ServeAsync(string space, string name, int port)
    {
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(space, ["serve", name, $"{port}"], _ => ready.TrySetResult());
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
