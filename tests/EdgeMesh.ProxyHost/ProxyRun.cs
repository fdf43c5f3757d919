using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Runtime.InteropServices;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.ProxyHost;

internal static class ProxyRun
{
    /// <summary>
    /// NODE MANIFESTS [--keep-rules] [--balancing=WAY] [NODE=ADDRESS]...: a peer is dialled at ADDRESS with the endpoint's port. How far
    /// each is: <see cref="Peers.DistanceOf"/>.
    /// </summary>
    public static async Task<int> RunAsync(string[] args)
    {
        ProxyOptions options = new()
        {
            Self = NodeName.Parse(args[0]),
            KeepRules = args.Contains("--keep-rules"),
            Balancing = Enum.Parse<Balancing>(args.FirstOrDefault(a => a.StartsWith("--balancing=", StringComparison.Ordinal))?["--balancing=".Length..] ?? "Spread"),
        };
        if (args.Contains("--cleanup"))
        {
            foreach (string line in await ProxyCleanup.RunAsync(options, CancellationToken.None))
            {
                Console.WriteLine(line);
            }

            return 0;
        }

        Dictionary<NodeName, IPAddress> peers = args.Where(a => a.Contains('=') && !a.StartsWith("--", StringComparison.Ordinal)).Select(a => a.Split('='))
            .ToDictionary(p => NodeName.Parse(p[0]), p => IPAddress.Parse(p[1]));
        using ILoggerFactory logs = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Debug).AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.TimestampFormat = "HH:mm:ss.fff ";
        }));
        ConcurrentDictionary<string, long> outcomes = new();
        using MeterListener counter = CountOutcomes(outcomes);
        TaskCompletionSource ended = new();
        using PosixSignalRegistration signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c =>
        {
            c.Cancel = true;
            ended.TrySetResult();
        });
        SnapshotCell cell = new();
        Peers direct = new(peers);
        await using Reactor reactor = new("sockets", logs.CreateLogger("sockets"));
        reactor.Start();
        try
        {
            await using ProxyService proxy = new(cell, options, direct.ForwardTcpAsync, direct.ForwardUdp, reactor.Watch, Peers.DistanceOf, logs);
            await proxy.StartAsync(CancellationToken.None);
            await using ManifestSource source = new(cell, args[1], logs);
            await source.StartAsync(CancellationToken.None);
            await ended.Task;
            Console.WriteLine($"outcomes {string.Join(' ', outcomes.OrderBy(o => o.Key).Select(o => $"{o.Key}={o.Value}"))}");
            return 0;
        }
        catch (MeshException e)
        {
            Console.WriteLine(e.Message);
            return (int)e.Exit;
        }
    }

    /// <summary>What edgemesh_proxy_tcp_connections counts, as /metrics would tell it.</summary>
    private static MeterListener CountOutcomes(ConcurrentDictionary<string, long> outcomes)
    {
        MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "edgemesh_proxy_tcp_connections")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => outcomes.AddOrUpdate($"{tags[0].Value}", value, (_, n) => n + value));
        listener.Start();
        return listener;
    }
}
