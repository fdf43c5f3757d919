using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Proxy.Udp;

/// <summary>The agent's UDP arm: a socket for each Service port that can need the agent. <see cref="Set"/> and <see cref="Remove"/> belong to the reconcile loop.</summary>
internal sealed class UdpForwarder(
    IPAddress address, int maxFlows, Balancer balancer, UdpForward forward, SocketWatch watch, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan ExpiryPeriod = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<PortKey, UdpPort> ports = new();
    private readonly CancellationTokenSource stopping = new();
    private Task expiring = Task.CompletedTask;
    private int flowCount;

    public Balancer Balancer => balancer;

    public long Now => time.GetTimestamp() / (time.TimestampFrequency / 1000);

    public void Start() => expiring = ExpireAsync();

    /// <summary>Opens, keeps or closes the port's socket, as the plan needs it.</summary>
    public void Set(PortPlan plan)
    {
        if (!plan.NeedsAgent)
        {
            Remove(plan.Key);
        }
        else if (ports.TryGetValue(plan.Key, out UdpPort? open))
        {
            open.Update(plan);
        }
        else
        {
            try
            {
                ports[plan.Key] = new UdpPort(this, plan, address, watch);
            }
            catch (SocketException e)
            {
                ProxyLog.NoUdpSocket(log, plan.Key, e.Message);
            }
        }
    }

    public void Remove(PortKey key)
    {
        if (ports.TryRemove(key, out UdpPort? open))
        {
            open.Dispose();
        }
    }

    /// <returns>0: no socket.</returns>
    public int PortOf(PortKey key) => ports.TryGetValue(key, out UdpPort? open) ? open.Number : 0;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await expiring.ConfigureAwait(false);
        foreach (PortKey key in ports.Keys)
        {
            Remove(key);
        }

        stopping.Dispose();
    }

    internal static void Dropped(string reason) =>
        ProxyMetrics.UdpDropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal bool TryTakeFlow()
    {
        if (Interlocked.Increment(ref flowCount) > maxFlows)
        {
            Interlocked.Decrement(ref flowCount);
            return false;
        }

        ProxyMetrics.UdpFlows.Add(1);
        return true;
    }

    internal void GiveFlow()
    {
        Interlocked.Decrement(ref flowCount);
        ProxyMetrics.UdpFlows.Add(-1);
    }

    /// <returns>Null: this endpoint cannot be had, try another.</returns>
    internal UdpFlow? Dial(PortPlan plan, PlannedEndpoint endpoint, IPEndPoint client, DatagramReceiver receiver)
    {
        try
        {
            return endpoint is { Placement: Placement.Remote, Node: NodeName node }
                ? forward(new DialTarget(node, TransportProtocol.Udp, endpoint.Address, plan.Service, client), receiver)
                : LocalUdpFlow.Open(endpoint.Address, watch, receiver);
        }
        catch (SocketException e)
        {
            ProxyLog.AttemptFailed(log, client, plan.Key, endpoint.Address, endpoint.Node, DialStatus.Unreachable);
            if (e.SocketErrorCode != SocketError.TooManyOpenSockets)
            {
                balancer.Failed(plan, endpoint);
            }

            return null;
        }
    }

    private async Task ExpireAsync()
    {
        using PeriodicTimer timer = new(ExpiryPeriod, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false))
            {
                long now = Now;
                foreach (UdpPort port in ports.Values)
                {
                    port.Expire(now);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}
