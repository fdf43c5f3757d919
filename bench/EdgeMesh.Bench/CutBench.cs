using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Bench;

/// <summary>"100 % of the traffic gets through" as a number: a thousand connections of every scenario while UDP is cut at random moments.</summary>
internal static class CutBench
{
    private const int Connections = 1000;
    private const int Clients = 10;

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, binary);
        await mesh.StartAllAsync(stop);
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # Does 100 % get through?
            Made by `edgemesh-bench cuts` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores. {Connections} HTTP requests of each scenario, a connection each, {Clients} clients with pauses,
            while UDP is cut and given back at random moments (0.2 to 2.5 s apart) at site A, at site B, between the two, or at both. Seed 20261123.

            | scenario | connections | failed | p50, ms | p99, ms | longest, ms | cuts meanwhile |
            |---|---:|---:|---:|---:|---:|---:|
            """);
        (string What, Node From, ParkService To)[] scenarios =
        [
            ("1: edge2 to edge1, one subnet", park.Edge2, ParkServices.Video),
            ("2: edge3 to edge1, across subnets", park.Edge3, ParkServices.Parking),
            ("3: edge3 to the cloud", park.Edge3, ParkServices.Face),
            ("3: the cloud to edge3", park.Cloud, ParkServices.Display),
        ];
        int failed = 0;
        foreach ((string what, Node from, ParkService to) in scenarios)
        {
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");
            using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task<int> cutting = CutAsync(park, done.Token, stop);
            RequestOutcome outcome = JsonSerializer.Deserialize<RequestOutcome>(await from.Pods[1].Host.MustAsync(
                stop, ProxyBench.Tool, "many-requests", to.ClusterIP + ":80", to.Name, "/", $"{Clients}", $"{Connections}", "250"))!;
            await done.CancelAsync();
            failed += outcome.Failed;
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {what} | {outcome.Sent} | {outcome.Failed} | {outcome.P50:F1} | {outcome.P99:F0} | {outcome.SlowestMilliseconds:F0} | {await cutting} |");
            if (outcome.Failed > 0)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| | | {outcome.FirstFailure} | | | | |");
            }
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"\n{(failed == 0 ? "None failed." : $"{failed} failed.")}");
        return text.ToString();
    }

    private static async Task<int> CutAsync(ParkLab park, CancellationToken done, CancellationToken stop)
    {
        Random random = new(20261123);
        int cuts = 0;
        try
        {
            while (true)
            {
                int how = random.Next(4);
                await (how switch
                {
                    0 => park.NatA.BlockUdpAsync(stop),
                    1 => park.NatB.BlockUdpAsync(stop),
                    2 => park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop),
                    _ => Task.WhenAll(park.NatA.BlockUdpAsync(stop), park.NatB.BlockUdpAsync(stop)),
                });
                cuts++;
                try
                {
                    await Task.Delay(random.Next(200, 2500), done);
                }
                finally
                {
                    await (how switch
                    {
                        0 => park.NatA.UnblockUdpAsync(stop),
                        1 => park.NatB.UnblockUdpAsync(stop),
                        2 => park.NatA.UnblockUdpWithAsync(stop),
                        _ => Task.WhenAll(park.NatA.UnblockUdpAsync(stop), park.NatB.UnblockUdpAsync(stop)),
                    });
                }

                await Task.Delay(random.Next(200, 2500), done);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return cuts;
        }
    }
}
