using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>The whole run: a park, all ways in every round, one after the other, so that a slow minute of the machine meets them all.</summary>
internal static class MeshBench
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(20);

    public static async Task<string> RunAsync(BenchOptions options, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, options.Binary);
        await mesh.StartAllAsync(stop);
        Ways builder = new(park, mesh);
        IReadOnlyList<Way> ways = await builder.SetUpAsync(stop);
        Say($"at rest for {Rest.TotalSeconds:F0} s");
        await Task.Delay(Rest, stop);
        ProcessUse agent = Footprint.Largest(mesh);
        ProcessUse server = mesh.Server!.Use();
        Dictionary<Way, List<Sample>> samples = ways.Where(options.Takes).ToDictionary(way => way, _ => new List<Sample>());
        List<(double FirstAnswer, double Direct)> starts = [];
        for (int round = 1; round <= options.Rounds; round++)
        {
            foreach (Way way in samples.Keys)
            {
                Say($"round {round}: {way.Name}");
                samples[way].Add(await new Meter(way, options.Seconds).TakeAsync(stop));
                await builder.HealAsync(stop);
            }

            Say($"round {round}: start of an agent");
            starts.Add(await Footprint.StartAsync(park, mesh, stop));
        }

        Say($"at rest for {Rest.TotalSeconds:F0} s");
        await Task.Delay(Rest, stop);
        Footprint footprint = new(
            agent, server, Footprint.Largest(mesh), mesh.Server!.Use(), [.. starts.Select(s => s.FirstAnswer)], [.. starts.Select(s => s.Direct)]);
        return Report.Write(samples, footprint, options);
    }

    private static void Say(string what) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");
}
