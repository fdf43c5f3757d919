using System.Globalization;
using System.Net;
using EdgeMesh.Bench;
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

async Task<int> MeasureAsync()
{
    string? Option(string name) => Array.IndexOf(args, name) is >= 0 and int at && at + 1 < args.Length ? args[at + 1] : null;
    string? binary = Environment.GetEnvironmentVariable("EDGEMESH");
    if (args.Length % 2 != 0 || args.Where((_, i) => i % 2 == 0).Any(name => name is not ("--rounds" or "--seconds" or "--only" or "--output")))
    {
        Console.Error.WriteLine("usage: edgemesh-bench [--rounds 3] [--seconds 3] [--only 'across two NATs, mesh'] [--output docs/bench/mesh.md]");
        Console.Error.WriteLine("       edgemesh-bench tls-dial LISTEN TO | tls-listen LISTEN TO");
        return 2;
    }

    if (binary is null || !File.Exists(binary))
    {
        Console.Error.WriteLine($"EDGEMESH is '{binary}': it must name the edgemesh executable; 'make bench' builds it and sets that");
        return 2;
    }

    BenchOptions options = new(
        Path.GetFullPath(binary), int.Parse(Option("--rounds") ?? "3", CultureInfo.InvariantCulture),
        int.Parse(Option("--seconds") ?? "3", CultureInfo.InvariantCulture), Option("--only") ?? "", Option("--output") ?? "");
    string report = await MeshBench.RunAsync(options, stop.Token);
    if (options.Output.Length > 0)
    {
        await File.WriteAllTextAsync(options.Output, report, stop.Token);
    }

    Console.Write(report);
    return 0;
}
