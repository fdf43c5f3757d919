using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Proxy.Udp;

/// <summary>The agent's UDP arm: a socket for each Service port that can need the agent. <see cref="SetAsync"/> and <see cref="RemoveAsync"/> belong to the reconcile loop.</summary>
internal sealed class UdpForwarder(
    IPAddress address, int maxFlows, Balancer balancer, UdpForward forward, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan ExpiryPeriod = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<PortKey, (UdpPort Port, Task Running)> ports = new();
    private readonly CancellationTokenSource stopping = new();
    private Task expiring = Task.CompletedTask;
    private int flowCount;

    public Balancer Balancer => balancer;

    public long Now => time.GetTimestamp() / (time.TimestampFrequency / 1000);

    public void Start() => expiring = ExpireAsync();

    /// <summary>Opens, keeps or closes the port's socket, as the plan needs it.</summary>
    public async Task SetAsync(PortPlan plan)
    {
        if (!plan.NeedsAgent)
        {
            await RemoveAsync(plan.Key).ConfigureAwait(false);
        }
        else if (ports.TryGetValue(plan.Key, out (UdpPort Port, Task) open))
        {
            open.Port.Update(plan);
        }
        else
        {
            try
            {
                UdpPort port = new(this, plan, address);
                ports[plan.Key] = (port, port.RunAsync());
            }
            catch (SocketException e)
            {
                ProxyLog.NoUdpSocket(log, plan.Key, e.Message);
            }
        }
    }

    public async Task RemoveAsync(PortKey key)
    {
        if (ports.TryRemove(key, out (UdpPort Port, Task Running) open))
        {
            open.Port.Dispose();
            await open.Running.ConfigureAwait(false);
        }
    }

    /// <returns>0: no socket.</returns>
    public int PortOf(PortKey key) => ports.TryGetValue(key, out (UdpPort Port, Task) open) ? open.Port.Number : 0;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await expiring.ConfigureAwait(false);
        foreach (PortKey key in ports.Keys)
        {
            await RemoveAsync(key).ConfigureAwait(false);
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
                : LocalUdpFlow.Open(endpoint.Address, receiver);
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
                foreach ((UdpPort port, _) in ports.Values)
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
