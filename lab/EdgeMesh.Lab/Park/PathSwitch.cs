namespace EdgeMesh.Lab;

/// <summary>Something that happens to the network, and the path edge3 and edge1 should then be on.</summary>
public sealed record PathSwitch(string What, string ExpectedPath, Func<Task> Act)
{
    /// <summary>The live switches of the mission: relay over UDP, direct, relay over TLS, direct, server gone, server back.</summary>
    public static IReadOnlyList<PathSwitch> All(ParkLab park, ParkMesh mesh, CancellationToken stop) =>
    [
        new("probes between the sites blocked", "relay UDP", () => park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop)),
        new("probes let through", "direct", () => park.NatA.UnblockUdpWithAsync(stop)),
        new("UDP blocked at NAT B", "relay TLS", () => park.NatB.BlockUdpAsync(stop)),
        new("UDP let through again", "direct", () => park.NatB.UnblockUdpAsync(stop)),
        new("server killed", "direct", mesh.KillServerAsync),
        new("server back", "direct", () => mesh.StartServerAsync(stop)),
    ];

    /// <summary>Lets it happen and watches edge3's link, on which something must flow, until the path has been the expected one for two seconds.</summary>
    /// <returns>Seconds until the path was right; null if it was not within <paramref name="patience"/>, with what was seen last.</returns>
    public async Task<(double? Seconds, string Seen)> PlayAsync(ParkLab park, TimeSpan patience, CancellationToken stop)
    {
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        double Elapsed() => System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds;
        await Act();
        double? reached = null;
        int inARow = 0;
        string seen = "nothing";
        TrafficBytes before = await Traffic.ReadAsync(park.Edge3.Host, stop);
        while (Elapsed() < patience.TotalSeconds && inARow < 8)
        {
            await Task.Delay(250, stop);
            TrafficBytes now = await Traffic.ReadAsync(park.Edge3.Host, stop);
            TrafficBytes used = now - before;
            before = now;
            seen = used.MainPath();
            reached = seen == ExpectedPath ? reached ?? Elapsed() : null;
            inARow = seen == ExpectedPath ? inARow + 1 : 0;
        }

        return (inARow >= 8 ? reached : null, seen);
    }
}
