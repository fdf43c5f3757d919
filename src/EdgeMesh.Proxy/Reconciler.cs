using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;
using EdgeMesh.Proxy.Rules;
using EdgeMesh.Proxy.Tcp;
using EdgeMesh.Proxy.Udp;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Proxy;

/// <summary>
/// Brings kernel and forwarders to what the snapshot wants: plan, sockets, rules, routes, in this order, so that a rule
/// never points to what is not there. One caller at a time.
/// </summary>
internal sealed class Reconciler(
    ProxyOptions options, TcpForwarder tcp, MeshDevice device, NftTable table, Balancer balancer, UdpForwarder udp,
    HealthPorts health, ILogger log)
{
    private readonly Dictionary<ServiceName, ServicePlan> plans = [];
    private readonly Dictionary<IPAddress, ServiceName> owners = [];
    private readonly Dictionary<PortKey, ServiceName> portOwners = [];
    private readonly HashSet<ServiceName> waiting = [];
    private readonly SortedDictionary<string, int> fronts = new(StringComparer.Ordinal);
    private readonly HashSet<PortKey> retired = [];
    private readonly RuleBook book = new();
    private MeshSnapshot snapshot = MeshSnapshot.Empty;
    private HostFacts host = HostFacts.Empty;
    private Surroundings? here;
    private bool routesChanged;
    private bool udpChanged;
    private bool warnedForwarding;
    private int countedElements;

    /// <summary>The cluster changed.</summary>
    public async Task ApplyAsync(MeshChange change, CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        snapshot = change.New;
        if (!snapshot.IsSynced)
        {
            return;
        }

        bool isFirst = here is null;
        if (isFirst || !change.Nodes.IsEmpty)
        {
            if (isFirst)
            {
                host = HostReader.Read(options.DeviceName);
                routesChanged = true;
            }

            await PlanAllAsync().ConfigureAwait(false);
        }
        else
        {
            await PlanAsync(change.Services).ConfigureAwait(false);
        }

        await WriteAsync(stop).ConfigureAwait(false);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        ProxyMetrics.SyncSeconds.Record(took.TotalSeconds);
        if (isFirst && book.IsWritten)
        {
            ProxyLog.Synced(log, plans.Count, book.ElementCount, (long)took.TotalMilliseconds);
        }
        else
        {
            ProxyLog.Changed(log, change.Services.Count, (long)took.TotalMilliseconds);
        }
    }

    /// <summary>Routes, addresses or interfaces of this host may have changed; the device too.</summary>
    public async Task RefreshHostAsync(CancellationToken stop)
    {
        if (!device.IsPresent())
        {
            ProxyLog.Repairing(log, $"device {options.DeviceName}");
            ProxyMetrics.Repairs.Add(1);
            await device.EnsureAsync(stop).ConfigureAwait(false);
            device.ForgetRoutes();
            routesChanged = true;
        }

        // A port that another program had may be free now.
        health.Apply();
        HostFacts now = HostReader.Read(options.DeviceName);
        HostFacts before = host;
        host = now;
        if (here is not null && (routesChanged || !book.IsWritten || !now.SameAs(before)))
        {
            // Each pod that starts adds a veth; only routes decide over endpoints, and the addresses that lead outside over node ports.
            if (!now.Routes.SameAs(before.Routes) || !NodePortAddresses().SequenceEqual(here.NodePortAddresses))
            {
                await PlanAllAsync().ConfigureAwait(false);
            }

            await WriteAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>Somebody else changed the table.</summary>
    public async Task RepairAsync(CancellationToken stop)
    {
        if (here is not null)
        {
            ProxyLog.Repairing(log, "table edgemesh");
            ProxyMetrics.Repairs.Add(1);
            book.Forget();
            await WriteAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>Looks with own eyes, for what the notifications may have missed; tries again what failed.</summary>
    public async Task CheckAsync(CancellationToken stop)
    {
        if (here is not null && book.IsWritten && !await table.IsIntactAsync(stop).ConfigureAwait(false))
        {
            await RepairAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>Somebody may have removed routes of ours, or the rule that leads to them, and then mostly the routes too.</summary>
    /// <param name="deleted">Routes that our table lost, be it by ourselves.</param>
    /// <param name="isRuleUncertain">The rule has to be looked at.</param>
    public async Task CheckRoutesAsync(List<IPNetwork> deleted, bool isRuleUncertain, CancellationToken stop)
    {
        if (here is not null
            && (deleted.Exists(device.Holds) || (isRuleUncertain && !await MeshDevice.IsRuleThereAsync(stop).ConfigureAwait(false))))
        {
            ProxyLog.Repairing(log, $"routing table {MeshDevice.Table}");
            ProxyMetrics.Repairs.Add(1);
            await device.EnsureAsync(stop).ConfigureAwait(false);
            device.ForgetRoutes();
            routesChanged = true;
            await WriteAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>The table as it should be, as nft would read it; null before the first sync.</summary>
    public string? WholeTable() => here is null ? null : book.Whole(Frame());

    public void CountDown() => ProxyMetrics.Elements.Add(-countedElements);

    private async Task PlanAllAsync()
    {
        here = new Surroundings(options.Self, options.FilterMode, options.RoutableCidrs, snapshot.Nodes, host.Routes)
        {
            NodePortAddresses = NodePortAddresses(),
            Balancing = options.Balancing,
        };
        await PlanAsync(plans.Keys.Where(n => !snapshot.Services.ContainsKey(n)).ToArray()).ConfigureAwait(false);
        await PlanAsync(snapshot.Services.Keys).ConfigureAwait(false);
    }

    private ImmutableArray<IPAddress> NodePortAddresses() =>
        host.NodePortAddresses(snapshot.Nodes.GetValueOrDefault(options.Self), options.DeviceName);

    private async Task PlanAsync(IEnumerable<ServiceName> names)
    {
        foreach (ServiceName name in names.Order())
        {
            await PlanOneAsync(name).ConfigureAwait(false);
        }

        // An address that became free may be what another Service waits for.
        foreach (ServiceName name in waiting.Order().ToArray())
        {
            await PlanOneAsync(name).ConfigureAwait(false);
        }
    }

    private async Task PlanOneAsync(ServiceName name)
    {
        ServicePlan? plan = snapshot.Services.TryGetValue(name, out ServiceState? state)
            ? ServicePlanner.Plan(state, RuleFamily.V4.Family, here!)
            : null;
        bool wasWaiting = waiting.Remove(name);
        if (plan is not null && plan.Addresses.FirstOrDefault(a => owners.TryGetValue(a, out ServiceName o) && o != name) is IPAddress taken)
        {
            if (!wasWaiting)
            {
                ProxyLog.AddressTaken(log, taken, name, owners[taken]);
            }

            waiting.Add(name);
            plan = null;
        }

        ServicePlan? before = plans.GetValueOrDefault(name);
        if (plan is not null && plan.Ports.Any(IsTaken))
        {
            // An externalIP or node port that another Service had first; the rest of this Service is served.
            if (!wasWaiting)
            {
                PortKey first = plan.Ports.First(IsTaken).Key;
                ProxyLog.PortTaken(log, first, name, portOwners[first]);
            }

            waiting.Add(name);
            plan = plan with { Ports = plan.Ports.RemoveAll(IsTaken) };
        }

        health.Set(name, plan?.HealthPort ?? 0, plan?.LocalEndpoints ?? 0);
        Claim(name, before, plan);
        foreach (PortPlan port in plan?.Ports ?? [])
        {
            PortPlan? old = balancer.TryFind(port.Key, out PortPlan found) ? found : null;
            if (old is not null && old.SameAs(port))
            {
                continue;
            }

            balancer.Set(port);
            if (port.Key.Protocol == TransportProtocol.Udp)
            {
                udpChanged = true;
                retired.Remove(port.Key);
                udp.Set(port);
            }
        }

        foreach (PortPlan old in before?.Ports ?? [])
        {
            if (plan is null || !plan.Ports.Any(p => p.Key == old.Key))
            {
                balancer.Remove(old.Key);
                if (old.Key.Protocol == TransportProtocol.Udp)
                {
                    udpChanged = true;
                    retired.Add(old.Key);
                    udp.Remove(old.Key);
                }
            }
        }

        book.Set(name, plan is null ? null : ServiceElements.Of(plan, udp.PortOf));

        bool IsTaken(PortPlan port) => portOwners.TryGetValue(port.Key, out ServiceName owner) && owner != name;
    }

    private void Claim(ServiceName name, ServicePlan? before, ServicePlan? now)
    {
        foreach (PortPlan port in before?.Ports ?? [])
        {
            portOwners.Remove(port.Key);
            CountFront(port, -1);
        }

        foreach (PortPlan port in now?.Ports ?? [])
        {
            portOwners[port.Key] = name;
            CountFront(port, 1);
        }

        foreach (IPAddress address in before?.Addresses ?? [])
        {
            if (now is null || !now.Addresses.Contains(address))
            {
                owners.Remove(address);
                routesChanged = true;
            }
        }

        foreach (IPAddress address in now?.Addresses ?? [])
        {
            if (owners.TryAdd(address, name))
            {
                routesChanged = true;
            }
        }

        if (now is null)
        {
            plans.Remove(name);
        }
        else
        {
            plans[name] = now;
        }
    }

    private void CountFront(PortPlan port, int by)
    {
        if (port.Front != PortFront.Cluster)
        {
            string address = port.Key.Address.ToString();
            fronts[address] = fronts.GetValueOrDefault(address) + by;
            if (fronts[address] == 0)
            {
                fronts.Remove(address);
            }
        }
    }

    private async Task WriteAsync(CancellationToken stop)
    {
        WarnForwarding();
        health.Apply();
        RuleFrame frame = Frame();
        for (int attempt = 0; attempt < 2; attempt++)
        {
            bool isFull = !book.IsWritten;
            string transaction = book.Transaction(frame);
            if (transaction.Length == 0)
            {
                break;
            }

            string? refusal = await table.ApplyAsync(transaction, isFull, stop).ConfigureAwait(false);
            if (refusal is null)
            {
                book.Commit(frame);
                break;
            }

            // What the kernel holds is not what we thought: replace it. If that fails too, the next check tries again.
            ProxyLog.RulesRefused(log, refusal);
            book.Forget();
        }

        ProxyMetrics.Elements.Add(book.ElementCount - countedElements);
        countedElements = book.ElementCount;
        if (routesChanged)
        {
            routesChanged = false;
            if (await device.RouteAsync(owners.Keys, stop).ConfigureAwait(false) is string reason)
            {
                ProxyLog.RouteRefused(log, reason);
            }
        }

        if (udpChanged)
        {
            udpChanged = false;
            await SweepAsync(stop).ConfigureAwait(false);
        }
    }

    private RuleFrame Frame() => new(
        RuleFamily.V4, options.MeshAddress, options.DeviceName, tcp.Port, tcp.RetryPort,
        host.Outside(snapshot.Nodes.GetValueOrDefault(options.Self), options.DeviceName), host.RoutedBridges(options.DeviceName))
    {
        Fronts = [.. fronts.Keys],
    };

    private async Task SweepAsync(CancellationToken stop)
    {
        if (ConntrackSweep.IsAvailable)
        {
            int count = await ConntrackSweep.RunAsync(IsCurrent, stop).ConfigureAwait(false);
            if (count > 0)
            {
                ProxyLog.Swept(log, count);
            }
        }

        retired.Clear();
    }

    private bool? IsCurrent(PortKey key, IPEndPoint target)
    {
        if (!balancer.TryFind(key, out PortPlan plan))
        {
            return retired.Contains(key) ? false : null;
        }

        return target.Address.Equals(options.MeshAddress)
            ? target.Port == udp.PortOf(key)
            : plan.Arms.Any(e => e.Address.Equals(target));
    }

    private void WarnForwarding()
    {
        if (!warnedForwarding && !HostReader.IsForwarding
            && plans.Values.Any(p => p.Ports.Any(q => q.Endpoints.Any(e => e.IsKernel))))
        {
            warnedForwarding = true;
            ProxyLog.NotForwarding(log);
        }
    }
}
