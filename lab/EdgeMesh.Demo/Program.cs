using EdgeMesh.Demo;
using EdgeMesh.Lab;

string? binary = Environment.GetEnvironmentVariable("EDGEMESH");
if (binary is null || !File.Exists(binary))
{
    Console.Error.WriteLine($"EDGEMESH is '{binary}': it must name the edgemesh executable; 'make demo' builds it and sets that");
    return 2;
}

using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
try
{
    return await Demo.RunAsync(Path.GetFullPath(binary), keep: args.Contains("--keep"), stop.Token);
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
