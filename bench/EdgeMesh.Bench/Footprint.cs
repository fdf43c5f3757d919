using System.Diagnostics;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>Memory at rest and times after a start.</summary>
/// <param name="Agent">An agent that has been idle for a while, the largest of the park.</param>
/// <param name="Server">With four agents.</param>
/// <param name="AgentAfter">The same agent after all rounds, at rest again.</param>
/// <param name="ServerAfter">The server after all rounds.</param>
/// <param name="FirstAnswer">Seconds from the start of an agent's process to the first answer across two NATs, one a round.</param>
/// <param name="Direct">Seconds from the first packet to the direct path, one a round.</param>
internal sealed record Footprint(
    ProcessUse Agent, ProcessUse Server, ProcessUse AgentAfter, ProcessUse ServerAfter, IReadOnlyList<double> FirstAnswer, IReadOnlyList<double> Direct)
{
    public static ProcessUse Largest(ParkMesh mesh) => mesh.Agents.Values.Select(agent => agent.Use()).MaxBy(use => use.RssKilobytes);

    /// <summary>Restarts an agent and asks until it answers, then watches its path.</summary>
    public static async Task<(double FirstAnswer, double Direct)> StartAsync(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        mesh.Agents["edge3"].Signal("TERM");
        await mesh.Agents["edge3"].ExitAsync(stop);
        long began = Stopwatch.GetTimestamp();
        await mesh.StartAgentAsync(park.Edge3, stop);
        double asked = 0;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            asked = Stopwatch.GetElapsedTime(began).TotalSeconds;
            if ((await park.Edge3.Pods[1].Host.RunAsync(stop, "curl", "-sf", "-m", "0.2", $"http://{ParkServices.Video.ClusterIP}/")).Succeeded)
            {
                break;
            }
        }

        double answered = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await ParkMesh.UntilAsync("edge3 reaches edge1 directly", async () => await mesh.PeerPathAsync(park.Edge3, "edge1", stop) == "direct", stop);
        return (answered, Stopwatch.GetElapsedTime(began).TotalSeconds - asked);
    }
}
