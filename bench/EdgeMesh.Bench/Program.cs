using System.Globalization;
using System.Net;
using EdgeMesh.Bench;
using EdgeMesh.Bench.Load;
using EdgeMesh.Lab;

using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
try
{
    switch (args)
    {
        case ["tls-dial", string listen, string to]:
            await TlsForward.DialAsync(IPEndPoint.Parse(listen), IPEndPoint.Parse(to), stop.Token);
            return 0;
        case ["tls-listen", string listen, string to]:
            await TlsForward.ListenAsync(IPEndPoint.Parse(listen), IPEndPoint.Parse(to), stop.Token);
            return 0;
        case ["kube", ..]:
            return await PlainAsync(args[1..], KubeBench.RunAsync);
        case ["proxy", ..]:
            return await ProxyAsync(args[1..]);
        case ["far", ..]:
            return await PlainAsync(args[1..], FarBench.RunAsync);
        case ["cuts", ..]:
            return await PlainAsync(args[1..], CutBench.RunAsync);
        case ["servers", ..]:
            return await PlainAsync(args[1..], ServersBench.RunAsync);
        case ["peers", ..]:
            return await PlainAsync(args[1..], PeersBench.RunAsync);
        case ["threads", ..]:
            return await PlainAsync(args[1..], ThreadsBench.RunAsync);
        case ["load", ..]:
            return await LoadAsync(args[1..]);
        case ["dns", ..]:
            return await PlainAsync(args[1..], DnsBench.RunAsync);
        case ["matrix", ..]:
            return await MatrixAsync(args[1..]);
        case ["torture", ..]:
            return await TortureAsync(args[1..]);
        default:
            return await MeasureAsync();
    }
}
catch (LabException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
catch (OperationCanceledException)
{
    return 1;
}

async Task<int> PlainAsync(string[] given, Func<string, CancellationToken, Task<string>> run)
{
    Dictionary<string, string>? options = Options(given, "--output");
    if (options is null || Binary() is not { } binary)
    {
        return 2;
    }

    await WriteAsync(options, await run(binary, stop.Token));
    return 0;
}

async Task<int> ProxyAsync(string[] given)
{
    Dictionary<string, string>? options = Options(given, "--services", "--parts", "--output");
    if (options is null || Binary() is not { } binary)
    {
        return 2;
    }

    int[] services = [.. options.GetValueOrDefault("--services", "10,1000,5000").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
    string[] parts = options.GetValueOrDefault("--parts", "same-node,faults,crowd").Split(',', StringSplitOptions.TrimEntries);
    await WriteAsync(options, await ProxyBench.RunAsync(binary, services, parts, stop.Token));
    return 0;
}

async Task<int> LoadAsync(string[] given)
{
    Dictionary<string, string>? options = Options(given, "--agents", "--parts", "--output");
    if (options is null || Binary() is not { } binary)
    {
        return 2;
    }

    string[] parts = options.GetValueOrDefault("--parts", "rest,udp,mixed,limit").Split(',', StringSplitOptions.TrimEntries);
    await WriteAsync(options, await LoadBench.RunAsync(binary, Number(options, "--agents", 5000), parts, stop.Token));
    return 0;
}

async Task<int> MatrixAsync(string[] given)
{
    Dictionary<string, string>? options = Options(given, "--tries", "--parallel", "--only", "--output");
    if (options is null || Binary() is not { } binary)
    {
        return 2;
    }

    (string report, bool isGood) = await NatMatrix.RunAsync(
        binary, Number(options, "--tries", 20), Number(options, "--parallel", 3), options.GetValueOrDefault("--only", ""), stop.Token);
    await WriteAsync(options, report);
    return isGood ? 0 : 1;
}

async Task<int> TortureAsync(string[] given)
{
    Dictionary<string, string>? options = Options(given, "--events", "--streams", "--seed", "--only", "--logs", "--output");
    if (options is null || Binary() is not { } binary)
    {
        return 2;
    }

    (string report, bool isGood) = await Torture.RunAsync(
        binary, Number(options, "--events", 120), Number(options, "--streams", 50), Number(options, "--seed", Environment.TickCount),
        options.GetValueOrDefault("--only")?.Split(',', StringSplitOptions.TrimEntries) ?? [],
        options.GetValueOrDefault("--logs"), stop.Token);
    await WriteAsync(options, report);
    return isGood ? 0 : 1;
}

async Task<int> MeasureAsync()
{
    Dictionary<string, string>? options = Options(args, "--rounds", "--seconds", "--only", "--output");
    if (options is null || Binary() is not { } binary)
    {
        return 2;
    }

    await WriteAsync(options, await MeshBench.RunAsync(
        new BenchOptions(binary, Number(options, "--rounds", 3), Number(options, "--seconds", 3), options.GetValueOrDefault("--only", "")), stop.Token));
    return 0;
}

static Dictionary<string, string>? Options(string[] given, params string[] known)
{
    if (given.Length % 2 == 0 && given.Where((_, i) => i % 2 == 0).All(known.Contains))
    {
        return given.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
    }

    Console.Error.WriteLine("""
        usage: edgemesh-bench [--rounds 3] [--seconds 3] [--only 'across two NATs, mesh'] [--output docs/bench/mesh.md]
               edgemesh-bench matrix [--tries 20] [--parallel 3] [--only symmetric] [--output docs/bench/nat-matrix.md]
               edgemesh-bench torture [--events 120] [--streams 50] [--seed N] [--only 'server killed,edge1 asleep'] [--logs DIR] [--output docs/bench/torture.md]
               edgemesh-bench kube [--output docs/bench/kube.md]
               edgemesh-bench proxy [--services 10,1000,5000] [--parts same-node,faults,crowd] [--output docs/bench/proxy.md]
               edgemesh-bench dns [--output docs/bench/dns.md]
               edgemesh-bench far [--output docs/bench/far.md]
               edgemesh-bench cuts [--output docs/bench/cuts.md]
               edgemesh-bench servers [--output docs/bench/servers.md]
               edgemesh-bench peers [--output docs/bench/peers.md]
               edgemesh-bench threads [--output docs/bench/threads.md]
               edgemesh-bench load [--agents 5000] [--output docs/bench/load.md]
               edgemesh-bench tls-dial LISTEN TO | tls-listen LISTEN TO
        """);
    return null;
}

static int Number(Dictionary<string, string> options, string name, int otherwise) =>
    options.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

static string? Binary()
{
    string? binary = Environment.GetEnvironmentVariable("EDGEMESH");
    if (binary is not null && File.Exists(binary))
    {
        return Path.GetFullPath(binary);
    }

    Console.Error.WriteLine($"EDGEMESH is '{binary}': it must name the edgemesh executable; 'make bench' and 'make matrix' build it and set that");
    return null;
}

static async Task WriteAsync(Dictionary<string, string> options, string report)
{
    if (options.TryGetValue("--output", out string? file))
    {
        await File.WriteAllTextAsync(file, report);
    }

    Console.Write(report);
}
