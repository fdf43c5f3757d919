namespace EdgeMesh.Lab;

/// <summary>Something that happens to a real network, and is over after a while.</summary>
/// <param name="What">For the log.</param>
/// <param name="Begin">Makes it happen.</param>
/// <param name="Lasts">How long.</param>
/// <param name="End">Makes it over.</param>
/// <param name="HasNoPath">While it lasts nothing can get through, whatever a mesh does.</param>
public sealed record Mishap(string What, Func<Task> Begin, TimeSpan Lasts, Func<Task> End, bool HasNoPath = false)
{
    public const string ServerKilled = "server killed";

    private static readonly string[] Addresses = ["10.0.2.13", "10.0.2.14", "10.0.2.15"];

    /// <summary>Everything that can happen between edge3 and edge1.</summary>
    public static IReadOnlyList<Mishap> All(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        int address = 0;
        TimeSpan while3 = TimeSpan.FromSeconds(3);
        Task Nothing() => Task.CompletedTask;
        return
        [
            new("NAT A forgets its mappings", () => park.NatA.ForgetAsync(stop), TimeSpan.Zero, Nothing),
            new("NAT B forgets its mappings", () => park.NatB.ForgetAsync(stop), TimeSpan.Zero, Nothing),
            new("UDP blocked at NAT A", () => park.NatA.BlockUdpAsync(stop), while3, () => park.NatA.UnblockUdpAsync(stop)),
            new("UDP blocked at NAT B", () => park.NatB.BlockUdpAsync(stop), while3, () => park.NatB.UnblockUdpAsync(stop)),
            new("UDP between the sites blocked", () => park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop), while3, () => park.NatA.UnblockUdpWithAsync(stop)),
            new("20 % loss at NAT B", () => park.NatB.LoseAsync(20, stop), TimeSpan.FromSeconds(5), () => park.NatB.LoseAsync(0, stop)),
            new(ServerKilled, mesh.KillServerAsync, while3, () => mesh.StartServerAsync(stop)),
            new("edge3 has another address", () => MoveAsync(park.Edge3, Addresses[address], Addresses[address = (address + 1) % Addresses.Length], stop), TimeSpan.Zero, Nothing),
            new("router B restarts", () => park.NatB.LinkAsync(up: false, stop), TimeSpan.FromSeconds(2), async () =>
            {
                await park.NatB.ForgetAsync(stop);
                await park.NatB.LinkAsync(up: true, stop);
            }, HasNoPath: true),
            new("edge1 asleep", () => SignalAsync(mesh, "edge1", "STOP"), TimeSpan.FromSeconds(5), () => SignalAsync(mesh, "edge1", "CONT"), HasNoPath: true),
        ];
    }

    /// <summary>A whole minute of sleep: longer than mappings and most time-outs live.</summary>
    public static Mishap LongSleep(ParkMesh mesh) => new(
        "edge1 asleep for a minute", () => SignalAsync(mesh, "edge1", "STOP"), TimeSpan.FromSeconds(60), () => SignalAsync(mesh, "edge1", "CONT"), HasNoPath: true);

    public async Task PlayAsync(CancellationToken stop)
    {
        await Begin();
        await Task.Delay(Lasts, stop);
        await End();
    }

    private static async Task MoveAsync(Node node, string from, string to, CancellationToken stop)
    {
        // Or the new one would go with the old one, whose secondary it is.
        await node.Host.SysctlAsync("net.ipv4.conf.eth0.promote_secondaries", "1", stop);
        await node.Host.MustAsync(stop, "ip", "addr", "add", to + "/24", "dev", "eth0");
        await node.Host.MustAsync(stop, "ip", "addr", "del", from + "/24", "dev", "eth0");
        await node.Host.RunAsync(stop, "ip", "route", "replace", "default", "via", "10.0.2.1");
    }

    private static Task SignalAsync(ParkMesh mesh, string node, string signal)
    {
        mesh.Agents[node].Signal(signal);
        return Task.CompletedTask;
    }
}
