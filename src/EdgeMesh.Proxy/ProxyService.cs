using System.Collections.Concurrent;
using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Host;
using EdgeMesh.Proxy.Rules;
using EdgeMesh.Proxy.Tcp;
using EdgeMesh.Proxy.Udp;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Proxy;

/// <summary>
/// ClusterIP Services for the pods and processes of this node: rules in the kernel, forwarders for what lies on other nodes.
/// Start reading at <see cref="Reconciler"/>.
/// </summary>
public sealed class ProxyService(
    SnapshotCell cell, ProxyOptions options, TcpForward forwardTcp, UdpForward forwardUdp, SocketWatch watch, PeerDistanceOf distanceOf,
    ILoggerFactory logs) : IAsyncDisposable
{
    private static readonly TimeSpan HousekeepingPeriod = TimeSpan.FromSeconds(5);

    /// <summary>How often the table is looked at although no notification came; each second where there are none.</summary>
    private const int TicksPerCheck = 12;

    private readonly ILogger log = logs.CreateLogger("EdgeMesh.Proxy");
    private readonly LocalEndpoints localEndpoints = new(cell, options.Self);
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim wake = new(0, 1);
    private readonly List<Task> loops = [];
    private readonly MeshDevice device = new(options);
    private readonly NftTable table = new(RuleFamily.V4);
    private NetlinkListener? networkEvents;
    private NetlinkListener? ruleEvents;
    private TcpForwarder? tcp;
    private UdpForwarder? udp;
    private HealthPorts? health;
    private Reconciler? reconciler;
    private volatile bool hostDirty;
    private volatile bool rulesDirty;
    private volatile bool rulesUncertain;
    private volatile bool routesUncertain;
    private readonly ConcurrentQueue<IPNetwork> deletedRoutes = new();
    private readonly ConcurrentQueue<TaskCompletionSource<string?>> questions = new();

    /// <summary>True if this endpoint is on this node now: what a peer may dial here. Any thread.</summary>
    public bool IsLocalEndpoint(TransportProtocol protocol, System.Net.IPEndPoint endpoint) => localEndpoints.Contains(protocol, endpoint);

    /// <summary>
    /// Returns when the mesh device has its address (so the DNS server can bind there) and the forwarders listen. Rules are
    /// written with the first synced snapshot.
    /// </summary>
    /// <exception cref="MeshException">Privilege or a command is missing, or the device cannot be had.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        Privilege.Require();
        if (!ConntrackSweep.IsAvailable)
        {
            ProxyLog.NoConntrack(log);
        }

        await device.EnsureAsync(stop).ConfigureAwait(false);
        await device.AdoptRoutesAsync(stop).ConfigureAwait(false);
        Balancer balancer = new(TimeProvider.System, Random.Shared, distanceOf);
        tcp = new TcpForwarder(options.MeshAddress, balancer, forwardTcp, watch, FileReserve.Read(), log);
        tcp.Start();
        udp = new UdpForwarder(options.MeshAddress, options.MaxUdpFlows, balancer, forwardUdp, watch, TimeProvider.System, log);
        udp.Start();
        reconciler = new Reconciler(options, tcp, device, table, balancer, udp, health = new HealthPorts(log), log);

        // Listening begins before the first rule is written, so no change of the table is missed.
        networkEvents = NetlinkListener.TryOpen(NetlinkListener.Route, NetlinkListener.NetworkGroups);
        ruleEvents = NetlinkListener.TryOpen(NetlinkListener.Netfilter, NetlinkListener.RuleGroups);
        if (networkEvents is null)
        {
            ProxyLog.NoNotifications(log, "route");
        }
        else
        {
            loops.Add(HearNetworkAsync(networkEvents));
        }

        if (ruleEvents is null)
        {
            ProxyLog.NoNotifications(log, "nftables");
        }
        else
        {
            loops.Add(HearRulesAsync(ruleEvents));
        }

        loops.Add(ReconcileAsync());
        ProxyLog.Started(log, options.DeviceName, options.MeshAddress, tcp.Port);
    }

    /// <summary>The table as it should be now, as text for nft; null before the first sync.</summary>
    public async Task<string?> RulesAsync(CancellationToken stop)
    {
        TaskCompletionSource<string?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        questions.Enqueue(answer);
        Wake();
        return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>What would have to change in the kernel for it to be as it should, a line each; empty before the first sync.</summary>
    /// <exception cref="MeshException">It cannot be found out.</exception>
    public async Task<IReadOnlyList<string>> RuleChangesAsync(CancellationToken stop) =>
        await RulesAsync(stop).ConfigureAwait(false) is { } wanted ? await RuleDifference.FindAsync(RuleFamily.V4, wanted, stop).ConfigureAwait(false) : [];

    /// <summary>Rules first, so that nothing new arrives; then the forwarders, then the device.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(loops).ConfigureAwait(false);
        networkEvents?.Dispose();
        ruleEvents?.Dispose();
        if (reconciler is not null && !options.KeepRules)
        {
            await NftTable.CloseAsync(RuleFamily.V4.Table, CancellationToken.None).ConfigureAwait(false);
        }

        if (health is not null)
        {
            await health.DisposeAsync().ConfigureAwait(false);
        }

        if (tcp is not null)
        {
            await tcp.DrainAsync(options.DrainTime).ConfigureAwait(false);
            await tcp.DisposeAsync().ConfigureAwait(false);
        }

        if (udp is not null)
        {
            await udp.DisposeAsync().ConfigureAwait(false);
        }

        if (reconciler is not null)
        {
            reconciler.CountDown();
            if (!options.KeepRules)
            {
                await ProxyCleanup.RunAsync(options, CancellationToken.None).ConfigureAwait(false);
            }

            ProxyLog.Stopped(log, options.KeepRules ? "kept" : "removed");
        }

        stopping.Dispose();
        wake.Dispose();
    }

    private async Task ReconcileAsync()
    {
        CancellationToken stop = stopping.Token;
        using SnapshotSubscription subscription = cell.Subscribe();
        using PeriodicTimer timer = new(ruleEvents is null || networkEvents is null ? TimeSpan.FromSeconds(1) : HousekeepingPeriod);
        Task<MeshChange> change = subscription.NextAsync(stop).AsTask();
        Task<bool> tick = timer.WaitForNextTickAsync(stop).AsTask();
        Task woken = wake.WaitAsync(stop);
        int ticks = 0;
        while (!stop.IsCancellationRequested)
        {
            await Task.WhenAny(change, tick, woken).ConfigureAwait(false);
            try
            {
                if (woken.IsCompletedSuccessfully)
                {
                    woken = wake.WaitAsync(stop);
                }

                if (change.IsCompleted)
                {
                    MeshChange next = await change.ConfigureAwait(false);
                    change = subscription.NextAsync(stop).AsTask();
                    await reconciler!.ApplyAsync(next, stop).ConfigureAwait(false);
                }

                if (tick.IsCompleted)
                {
                    // bridge-nf-call-iptables has no notification, so the host is read at times.
                    tick = timer.WaitForNextTickAsync(stop).AsTask();
                    hostDirty = true;
                    rulesUncertain |= ruleEvents is null || ++ticks % TicksPerCheck == 0;
                    routesUncertain |= ticks % TicksPerCheck == 0;
                }

                await RepairAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The next change or tick tries again; the agent's other work goes on.
                ProxyLog.Failed(log, e, "bringing the rules up to date");
                rulesUncertain = true;
            }
        }
    }

    private async Task RepairAsync(CancellationToken stop)
    {
        while (questions.TryDequeue(out TaskCompletionSource<string?>? question))
        {
            question.SetResult(reconciler!.WholeTable());
        }

        if (rulesDirty)
        {
            rulesDirty = false;
            await reconciler!.RepairAsync(stop).ConfigureAwait(false);
        }

        if (rulesUncertain)
        {
            rulesUncertain = false;
            await reconciler!.CheckAsync(stop).ConfigureAwait(false);
        }

        if (routesUncertain || !deletedRoutes.IsEmpty)
        {
            bool isRuleUncertain = routesUncertain;
            routesUncertain = false;
            List<IPNetwork> deleted = [];
            while (deletedRoutes.TryDequeue(out IPNetwork route))
            {
                deleted.Add(route);
            }

            await reconciler!.CheckRoutesAsync(deleted, isRuleUncertain, stop).ConfigureAwait(false);
        }

        if (hostDirty)
        {
            hostDirty = false;
            await reconciler!.RefreshHostAsync(stop).ConfigureAwait(false);
        }
    }

    private async Task HearNetworkAsync(NetlinkListener events)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                int count = await events.ReceiveAsync(buffer, stopping.Token).ConfigureAwait(false);
                RouteEvents heard = count < 0
                    ? new RouteEvents(IsHostChanged: true, IsRuleDeleted: true)
                    : RouteEvents.Read(buffer.AsSpan(0, count), MeshDevice.Table, deletedRoutes.Enqueue);
                hostDirty |= heard.IsHostChanged;
                routesUncertain |= heard.IsRuleDeleted;
                if (heard.IsHostChanged || !deletedRoutes.IsEmpty)
                {
                    Wake();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task HearRulesAsync(NetlinkListener events)
    {
        // The kernel packs several messages into one datagram of at most a page or two.
        byte[] buffer = new byte[32 * 1024];
        RuleEvents reader = new();
        try
        {
            while (true)
            {
                int count = await events.ReceiveAsync(buffer, stopping.Token).ConfigureAwait(false);
                if (count < 0)
                {
                    rulesUncertain = true;
                    Wake();
                    continue;
                }

                for (int commits = reader.Read(buffer.AsSpan(0, count)); commits > 0; commits--)
                {
                    if (!table.OwnCommit())
                    {
                        rulesDirty = true;
                        Wake();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private void Wake()
    {
        lock (wake)
        {
            if (wake.CurrentCount == 0)
            {
                wake.Release();
            }
        }
    }
}
