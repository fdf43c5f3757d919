using System.Text.Json;

namespace EdgeMesh.Lab;

/// <summary>The park's server and a second one that joins it, both on the cloud host, told apart by their ports.</summary>
public sealed class ServerPair(ParkLab park, ParkMesh mesh)
{
    private const string First = ParkLab.ServerAddress + ":20006";
    private const string Second = ParkLab.ServerAddress + ":20026";

    private LabProcess? second;

    private string Token => Path.Combine(park.Lab.Directory, "server.token");

    public async Task JoinAsync(CancellationToken stop)
    {
        string made = await park.Cloud.Host.MustAsync(stop, mesh.Binary, "token", "create", "--for-server", "--state-dir", mesh.StateOf("server"));
        await File.WriteAllTextAsync(Token, made, stop);
        await StartAsync(Second, stop);
    }

    /// <summary>Takes the second one out of the mesh, for good.</summary>
    public async Task PartAsync(CancellationToken stop)
    {
        using JsonDocument joined = JsonDocument.Parse(await park.Cloud.Host.MustAsync(
            stop, mesh.Binary, "server", "list", "--state-dir", mesh.StateOf("server"), "--json"));
        foreach (JsonElement server in joined.RootElement.GetProperty("servers").EnumerateArray())
        {
            await park.Cloud.Host.MustAsync(
                stop, mesh.Binary, "server", "revoke", server.GetProperty("id").GetString()!, "--state-dir", mesh.StateOf("server"));
        }

        if (second is { HasExited: false })
        {
            second.Signal("KILL");
            await second.ExitAsync(stop);
        }
    }

    public async Task StartAsync(string server, CancellationToken stop)
    {
        if (server == First)
        {
            await mesh.StartServerAsync(stop);
            return;
        }

        second = park.Cloud.Host.Start("second",
        [
            mesh.Binary, "server", "--state-dir", mesh.StateOf("second"), "--listen", "0.0.0.0:20026", "--second-udp-port", "20036",
            "--advertise", Second, "--metrics-listen", "127.0.0.1:20029", "--join", First, "--token-file", Token,
        ]);
        await ParkMesh.UntilAsync("the second server answers", async () =>
            second.HasExited ? throw new LabException($"the second server ended: {second.Log()}")
            : (await park.Cloud.Host.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20029/readyz")).Succeeded, stop);
    }

    public async Task KillAsync(string server)
    {
        LabProcess process = Of(server);
        process.Signal("KILL");
        await process.ExitAsync(CancellationToken.None);
    }

    public async Task DrainAsync(string server, CancellationToken stop)
    {
        await park.Cloud.Host.MustAsync(
            stop, mesh.Binary, "server", "drain", "--wait", "10s", "--state-dir", mesh.StateOf(server == First ? "server" : "second"));
        LabProcess process = Of(server);
        process.Signal("TERM");
        await process.ExitAsync(stop);
    }

    /// <summary>Whether an agent is connected to so many servers.</summary>
    public async Task<bool> AreConnectedAsync(Node node, int count, CancellationToken stop)
    {
        using JsonDocument status = await mesh.AskAsync(node, stop, "status");
        return status.RootElement.GetProperty("servers").EnumerateArray().Count(s => s.GetProperty("connected").GetBoolean()) == count;
    }

    /// <summary>The server that relays for an agent and its peer.</summary>
    public async Task<string> RelayOfAsync(Node node, string peer, CancellationToken stop)
    {
        using JsonDocument peers = await mesh.AskAsync(node, stop, "peers");
        return peers.RootElement.GetProperty("peers").EnumerateArray().First(p => p.GetProperty("node").GetString() == peer).GetProperty("server").GetString()
            ?? throw new LabException($"{node.Name} does not reach {peer} by a server: {peers.RootElement}");
    }

    private LabProcess Of(string server) => server == First ? mesh.Server! : second!;
}
