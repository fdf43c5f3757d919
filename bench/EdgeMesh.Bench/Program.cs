using System.Net;
using EdgeMesh.Bench;

return args switch
{
    ["tls-dial", string listen, string to] => await RunAsync(stop => TlsForward.DialAsync(IPEndPoint.Parse(listen), IPEndPoint.Parse(to), stop)),
    ["tls-listen", string listen, string to] => await RunAsync(stop => TlsForward.ListenAsync(IPEndPoint.Parse(listen), IPEndPoint.Parse(to), stop)),
    _ => Usage(),
};

static async Task<int> RunAsync(Func<CancellationToken, Task> work)
{
    using CancellationTokenSource stop = new();
    Console.CancelKeyPress += (_, e) => { e.Cancel = true; stop.Cancel(); };
    await work(stop.Token);
    return 0;
}

static int Usage()
{
    Console.Error.WriteLine("usage: edgemesh-bench tls-dial LISTEN TO | tls-listen LISTEN TO");
    return 2;
}
