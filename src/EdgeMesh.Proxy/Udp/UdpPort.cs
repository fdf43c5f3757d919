using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Udp;

/// <summary>
/// The agent's socket for one UDP Service port. Clients arrive by DNAT; replies leave from the same socket and conntrack
/// puts the clusterIP back.
/// </summary>
internal sealed class UdpPort : IDisposable
{
    private static readonly KeyValuePair<string, object?> ToEndpoint = new("direction", "to-endpoint");
    private static readonly KeyValuePair<string, object?> ToClient = new("direction", "to-client");

    private readonly UdpForwarder owner;
    private readonly Socket socket;
    private readonly IDisposable watched;
    private readonly SocketAddress sender;

    // Guards flows and plan.
    private readonly Lock gate = new();
    private readonly Dictionary<ClientKey, ClientFlow> flows = [];
    private PortPlan plan;
    private bool isClosed;

    public UdpPort(UdpForwarder owner, PortPlan plan, IPAddress address, SocketWatch watch)
    {
        this.owner = owner;
        this.plan = plan;
        socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // A burst of 10,000 datagrams waits here while the other core is busy.
            SocketSetup.Enlarge(socket, 8 << 20);
            socket.Bind(new IPEndPoint(address, 0));
            socket.Blocking = false;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }

        sender = new SocketAddress(address.AddressFamily);
        Number = ((IPEndPoint)socket.LocalEndPoint!).Port;
        watched = watch(socket, new DatagramSocket(socket, ReceiveOne).Drain);
    }

    public int Number { get; }

    public long Now => owner.Now;

    /// <summary>Flows to endpoints that are not usable any more end; their clients get another one.</summary>
    public void Update(PortPlan next)
    {
        lock (gate)
        {
            plan = next;
            foreach ((ClientKey key, ClientFlow flow) in flows)
            {
                if (!next.Endpoints.Contains(flow.Endpoint))
                {
                    Close(key, flow);
                }
            }
        }
    }

    public void Expire(long now)
    {
        lock (gate)
        {
            foreach ((ClientKey key, ClientFlow flow) in flows)
            {
                if (flow.IsIdle(now))
                {
                    Close(key, flow);
                }
            }
        }
    }

    public void Reply(SocketAddress client, ReadOnlySpan<byte> payload)
    {
        try
        {
            socket.SendTo(payload, SocketFlags.None, client);
            ProxyMetrics.UdpDatagrams.Add(1, ToClient);
        }
        catch (ObjectDisposedException)
        {
            // The Service went while the reply was on its way.
        }
        catch (SocketException)
        {
            // Client gone or send buffer full: a datagram may be lost, the caller must not wait.
            UdpForwarder.Dropped("send");
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            foreach ((ClientKey key, ClientFlow flow) in flows)
            {
                Close(key, flow);
            }
        }

        watched.Dispose();
    }

    private void ReceiveOne(byte[] buffer)
    {
        int count;
        try
        {
            count = socket.ReceiveFrom(buffer.AsSpan(), SocketFlags.None, sender);
        }
        catch (SocketException)
        {
            // An ICMP error of an earlier reply, or a datagram with a wrong checksum: there is nothing to read.
            return;
        }

        ProxyMetrics.UdpDatagrams.Add(1, ToEndpoint);
        ClientKey key = ClientKey.Of(sender);
        ReadOnlySpan<byte> payload = buffer.AsSpan(0, count);
        lock (gate)
        {
            if (isClosed)
            {
                return;
            }

            if (flows.TryGetValue(key, out ClientFlow? flow))
            {
                if (flow.Flow.Status == DialStatus.Ok)
                {
                    flow.Touch(Now);
                    flow.Flow.Send(payload);
                    if (flow.Flow.Status == DialStatus.Ok)
                    {
                        return;
                    }
                }

                owner.Balancer.Failed(plan, flow.Endpoint);
                Close(key, flow);
            }

            Open(key)?.Flow.Send(payload);
        }
    }

    private ClientFlow? Open(ClientKey key)
    {
        if (!owner.TryTakeFlow())
        {
            UdpForwarder.Dropped("flow-limit");
            return null;
        }

        SocketAddress client = new(sender.Family, sender.Size);
        sender.Buffer.Span[..sender.Size].CopyTo(client.Buffer.Span);
        IPEndPoint from = (IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(client);
        Balancer.Attempts attempts = owner.Balancer.Begin(plan, from.Address);
        while (attempts.TryNext(out PlannedEndpoint endpoint))
        {
            ClientFlow flow = new(this, client, endpoint, Now);
            if (owner.Dial(plan, endpoint, from, flow.OnReply) is UdpFlow dialled)
            {
                flow.Flow = dialled;
                flow.Load = owner.Balancer.Carry(plan, endpoint);
                flows[key] = flow;
                return flow;
            }
        }

        owner.GiveFlow();
        UdpForwarder.Dropped("no-endpoint");
        return null;
    }

    private void Close(ClientKey key, ClientFlow flow)
    {
        flows.Remove(key);
        if (flow.HasReply)
        {
            owner.Balancer.Succeeded(plan, flow.Endpoint);
        }

        flow.Load?.Dispose();
        flow.Flow.Dispose();
        owner.GiveFlow();
    }
}
