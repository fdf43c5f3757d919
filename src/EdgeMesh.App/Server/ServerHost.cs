using System.Diagnostics;
using EdgeMesh.App.Host;
using EdgeMesh.App.Logging;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Server;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Server;

/// <summary>The server's composition root, read top to bottom.</summary>
internal static class ServerHost
{
    public const string SocketName = "server.sock";

    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(4);

    public static async Task RunAsync(ServerHostOptions options, TimeProvider time, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        await using Logs logs = new(options.LogLevel, options.LogFormat, time);
        ILogger log = logs.Factory.CreateLogger("EdgeMesh.App");
        string name = string.Join(", ", options.Advertise);
        string? token = JoinTokenSource.Read(options.TokenFile, Environment.GetEnvironmentVariable);

        // ------------------------------------------------------------------ above: read only; below: the machine is changed
        StateDirectory.Prepare(options.StateDirectory);
        ulong files = FileLimit.Raise();
        AppLog.Starting(log, ProgramVersion.Text, "server", name, "registry " + options.StateDirectory, files);

        await using StopOrder parts = new(log);
        ServerService server = new(options.ToServer(token), time, logs.Factory);
        ServerState state = new(server, time);

        // The operator socket comes first: it is also what keeps a second server out of this state directory.
        OperatorSocket verbs = new(state.AnswerAsync);
        parts.Add("operator socket", SmallListener.Unix(
            Path.Combine(options.StateDirectory, SocketName), StopLimit, verbs.ServeAsync, log), StopLimit).Start();
        await using OpsServer? ops = OpsServer.Start(options.MetricsListen, state.WhyNotReady, log);

        parts.Add("server", server, DrainLimit);
        await server.StartAsync(stop).ConfigureAwait(false);

        state.Started();
        AppLog.Started(log, "server", name, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        await Footprint.KeepSmallAsync(time, stop).ConfigureAwait(false);
        AppLog.Stopping(log, "server", name);
    }
}
