using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using EdgeMesh.App.Host;
using EdgeMesh.App.Logging;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Dns;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Tunnel;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Agent;

/// <summary>
/// The agent's composition root, read top to bottom: what is asked for, what the machine offers, then (below the line) what
/// changes it, in the order in which the parts need each other. The stop is the same list backwards.
/// </summary>
internal static class AgentHost
{
    // Kubernetes gives 30 s between SIGTERM and SIGKILL; the parts' limits add up to less.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(4);

    public static async Task RunAsync(AgentOptions options, TimeProvider time, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        string? token = JoinTokenSource.Read(options.TokenFile, Environment.GetEnvironmentVariable);
        string libraries = AgentChecks.Run(options);

        await using Logs logs = new(options.LogLevel, options.LogFormat, time);
        ILogger log = logs.Factory.CreateLogger("EdgeMesh.App");
        HttpProxy? httpProxy = HttpProxySource.Choose(options.HttpProxy, options.NoHttpProxy, Environment.GetEnvironmentVariable, out string? ignored);
        if (ignored is not null)
        {
            AppLog.ProxyIgnored(log, ignored);
        }

        // ------------------------------------------------------------------ above: read only; below: the machine is changed
        StateDirectory.Prepare(options.StateDirectory);
        ulong files = FileLimit.Raise();
        AppLog.Starting(log, ProgramVersion.Text, "agent", options.Node.Value, libraries, files);

        await using StopOrder parts = new(log);
        AgentState state = new(options, time);

        // The operator socket comes first: it is also what keeps a second agent out of this state directory.
        OperatorSocket verbs = new(new AgentVerbs(state).AnswerAsync);
        parts.Add("operator socket", SmallListener.Unix(
            Path.Combine(options.StateDirectory, AgentSocket.Name), AgentVerbs.Limit, verbs.ServeAsync, log), StopLimit).Start();
        await using OpsServer? ops = OpsServer.Start(options.MetricsListen, state.WhyNotReady, log);

        state.Enter("waiting for a certificate");
        NodeIdentity identity = await NodeIdentity.LoadOrEnrollAsync(
            new EnrollOptions { NodeName = options.Node, StateDirectory = options.StateDirectory, Servers = options.Servers, Token = token, HttpProxy = httpProxy },
            time, logs.Factory.CreateLogger("EdgeMesh.Tunnel"), stop).ConfigureAwait(false);
        parts.Add("identity", identity);

        SnapshotCell cell = state.Cell;
        if (options.Kube is { } kube)
        {
            state.Enter("reading the Kubernetes API");
            KubeSource source = parts.Add("Kubernetes source", new KubeSource(cell, kube, options.StateDirectory, time, logs.Factory), StopLimit);
            state.Reads(() => source.Status);
            await source.StartAsync(stop).ConfigureAwait(false);
        }
        else
        {
            state.Enter("reading the manifests");
            ManifestSource source = parts.Add("manifests", new ManifestSource(cell, options.Manifests!, logs.Factory), StopLimit);
            await source.StartAsync(stop).ConfigureAwait(false);
            state.Reads(() => source.Status);
        }

        state.Enter("starting the tunnel");
        LocalEndpoints local = new(cell, options.Node);
        TunnelService tunnel = parts.Add("tunnel", new TunnelService(
            options.ToTunnel(httpProxy), identity, local.Contains, node => Addresses(cell, node), logs.Factory), StopLimit);
        await tunnel.StartAsync(stop).ConfigureAwait(false);
        state.Runs(tunnel);

        SnapshotCell proxied = cell;
        if (options.DnsServeCluster && options.DnsListen.FirstOrDefault(at => !IPAddress.IsLoopback(at.Address)) is { } dnsAt)
        {
            ClusterDnsView view = parts.Add("cluster DNS", new ClusterDnsView(
                cell, options.DnsClusterServices, dnsAt, options.Node, log), StopLimit);
            view.Start();
            proxied = view.Seen;
        }

        // The proxy makes the device whose address DNS binds to.
        state.Enter("writing the rules");
        ProxyService proxy = parts.Add("proxy", new ProxyService(
            proxied, options.ToProxy(), tunnel.ForwardTcp, tunnel.ForwardUdp, tunnel.Watch, tunnel.DistanceOf, logs.Factory), DrainLimit);
        await proxy.StartAsync(stop).ConfigureAwait(false);
        state.Runs(proxy);

        state.Enter("starting DNS");
        DnsService dns = parts.Add("DNS", new DnsService(cell, options.ToDns(), time, logs.Factory), StopLimit);
        await dns.StartAsync(stop).ConfigureAwait(false);

        state.Runs(dns);
        state.Started();
        AppLog.Started(log, "agent", options.Node.Value, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        await Footprint.KeepSmallAsync(time, stop).ConfigureAwait(false);
        AppLog.Stopping(log, "agent", options.Node.Value);
    }

    private static ImmutableArray<IPAddress> Addresses(SnapshotCell cell, NodeName node) =>
        cell.Current.Nodes.TryGetValue(node, out Node? known) ? known.Addresses : [];
}
