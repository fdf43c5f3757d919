using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>
/// All UDP flows with one peer, both directions. Flows outlive a connection: on the next one they are opened again. In the
/// loop only, but for <see cref="Open"/>, <see cref="Enqueue"/> and <see cref="Close"/>.
/// </summary>
internal sealed class FlowTable : IDisposable
{
    private const long MaxQueuedBytes = 8 * 1024 * 1024;
    private const long SweepEvery = 5_000_000_000;

    private readonly Reactor reactor;
    private readonly StreamAcceptor acceptor;
    private readonly bool evenIds;
    private readonly Action onWaiting;
    private readonly FlowSender sender = new();
    private readonly Dictionary<uint, NearFlow> near = [];
    private readonly Dictionary<uint, FarFlow> far = [];
    private readonly ReactorTimer sweep;
    private readonly ConcurrentQueue<(NearFlow Flow, byte[] Buffer, int Length)> queue = [];
    private long queuedBytes;
    private long dropped;
    private int drainPosted;
    private uint nextId;
    private QuicConnection? connection;
    private bool isDisposed;

    /// <param name="reactor">The loop.</param>
    /// <param name="evenIds">This node's name is the smaller one of the pair.</param>
    /// <param name="acceptor">What this node does for peers.</param>
    /// <param name="onWaiting">A datagram waits for a connection. In the loop.</param>
    public FlowTable(Reactor reactor, bool evenIds, StreamAcceptor acceptor, Action onWaiting)
    {
        this.onWaiting = onWaiting;
        this.reactor = reactor;
        this.acceptor = acceptor;
        this.evenIds = evenIds;
        nextId = ((uint)Random.Shared.NextInt64(uint.MaxValue) & ~1u) | (evenIds ? 0u : 1u);
        sweep = reactor.CreateTimer(Sweep);
    }

    /// <summary>Datagrams dropped at a bound of ours.</summary>
    public long Dropped => Interlocked.Read(ref dropped) + sender.Dropped;

    /// <summary>Flows of both directions. In the loop only.</summary>
    public int Count => near.Count + far.Count;

    internal long Now => reactor.Now;

    internal void AskForConnection() => onWaiting();

    /// <summary>Opens a flow; the first datagram opens it at the peer. Any thread.</summary>
    public UdpFlow Open(DialTarget target, DatagramReceiver receiver)
    {
        NearFlow flow = new(this, Interlocked.Add(ref nextId, 2), target, receiver);
        reactor.Post(static state => state.Table.Add(state.Flow), (Table: this, Flow: flow));
        return flow;
    }

    /// <summary>The connection to use from now on; null while there is none.</summary>
    public void Attach(QuicConnection? next)
    {
        connection = next;
        if (next is { IsConnected: true })
        {
            foreach (NearFlow flow in near.Values)
            {
                flow.Attached(next, sender);
            }
        }
    }

    /// <summary>The peer could not be reached: flows of ours end, their owners open others.</summary>
    public void FailAll()
    {
        foreach (NearFlow flow in near.Values)
        {
            flow.End(DialStatus.PeerUnreachable);
            flow.Clear();
        }

        near.Clear();
    }

    public void OnDatagram(ReadOnlySpan<byte> payload)
    {
        if (isDisposed || connection is null || !FlowDatagram.TryRead(payload, out FlowDatagram datagram))
        {
            return;
        }

        if ((datagram.Flow & 1) == 0 == evenIds)
        {
            if (near.TryGetValue(datagram.Flow, out NearFlow? flow))
            {
                flow.Receive(datagram);
                if (flow.Status != DialStatus.Ok)
                {
                    near.Remove(datagram.Flow);
                    flow.Clear();
                }
            }
        }
        else
        {
            OnFar(datagram);
        }
    }

    public void Dispose()
    {
        isDisposed = true;
        sweep.Cancel();
        foreach (FarFlow flow in far.Values)
        {
            flow.Dispose();
        }

        foreach (NearFlow flow in near.Values)
        {
            flow.End(DialStatus.PeerUnreachable);
            flow.Clear();
        }

        far.Clear();
        near.Clear();
    }

    internal void Enqueue(NearFlow flow, ReadOnlySpan<byte> payload)
    {
        if (Interlocked.Add(ref queuedBytes, payload.Length) > MaxQueuedBytes)
        {
            Interlocked.Add(ref queuedBytes, -payload.Length);
            Interlocked.Increment(ref dropped);
            return;
        }

        if (reactor.IsInLoop)
        {
            Interlocked.Add(ref queuedBytes, -payload.Length);
            flow.Push(connection, sender, payload);
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, payload.Length));
        payload.CopyTo(buffer);
        queue.Enqueue((flow, buffer, payload.Length));
        if (Interlocked.Exchange(ref drainPosted, 1) == 0)
        {
            reactor.Post(static table => table.Drain(), this);
        }
    }

    internal void Close(NearFlow flow) => reactor.Post(static state => state.Table.Remove(state.Flow), (Table: this, Flow: flow));

    internal void Reply(FarFlow flow, ReadOnlySpan<byte> payload)
    {
        if (connection is { IsConnected: true } up)
        {
            sender.Send(up, flow.Id, default, payload);
        }
    }

    private void Drain()
    {
        Interlocked.Exchange(ref drainPosted, 0);
        while (queue.TryDequeue(out (NearFlow Flow, byte[] Buffer, int Length) item))
        {
            Interlocked.Add(ref queuedBytes, -item.Length);
            if (!isDisposed && item.Flow.Status == DialStatus.Ok)
            {
                item.Flow.Push(connection, sender, item.Buffer.AsSpan(0, item.Length));
            }

            ArrayPool<byte>.Shared.Return(item.Buffer);
        }
    }

    private void Add(NearFlow flow)
    {
        if (isDisposed)
        {
            flow.End(DialStatus.PeerUnreachable);
        }
        else
        {
            near[flow.Id] = flow;
        }
    }

    private void Remove(NearFlow flow)
    {
        if (near.TryGetValue(flow.Id, out NearFlow? known) && ReferenceEquals(known, flow))
        {
            near.Remove(flow.Id);
        }

        flow.Clear();
    }

    private void OnFar(in FlowDatagram datagram)
    {
        if (!far.TryGetValue(datagram.Flow, out FarFlow? flow) || IsAnother(flow, datagram))
        {
            if (!datagram.Flags.HasFlag(FlowFlags.Open))
            {
                // This agent was restarted or forgot the flow: the dialler opens another.
                sender.Tell(connection!, datagram.Flow, FlowFlags.Refused, DialStatus.NotMine);
                return;
            }

            flow?.Dispose();
            far.Remove(datagram.Flow);
            flow = Accept(datagram);
            if (flow is null)
            {
                return;
            }
        }

        if (datagram.Flags.HasFlag(FlowFlags.Open))
        {
            sender.Tell(connection!, datagram.Flow, FlowFlags.Opened, DialStatus.Ok);
        }

        flow.Receive(datagram, reactor.Now);
    }

    private static bool IsAnother(FarFlow flow, in FlowDatagram datagram) =>
        datagram.Flags.HasFlag(FlowFlags.Open) && (flow.Target != datagram.Header.Endpoint || flow.Client != datagram.Header.Client);

    private FarFlow? Accept(in FlowDatagram datagram)
    {
        DialStatus status = datagram.Header.Protocol != TransportProtocol.Udp
            || !acceptor.IsLocalEndpoint(TransportProtocol.Udp, datagram.Header.Endpoint.ToEndPoint()) ? DialStatus.NotMine
            : far.Count >= acceptor.MaxFlows ? DialStatus.Busy
            : DialStatus.Ok;
        if (status == DialStatus.Ok)
        {
            try
            {
                FarFlow flow = new(this, reactor, datagram.Flow, datagram.Header.Endpoint, datagram.Header.Client, acceptor.SocketMark);
                if (acceptor.IsReserved(flow.Descriptor))
                {
                    flow.Dispose();
                    return Refuse(datagram.Flow, DialStatus.Busy);
                }

                far.Add(datagram.Flow, flow);
                acceptor.Count(DialStatus.Ok);
                if (sweep.Deadline == long.MaxValue)
                {
                    sweep.Set(reactor.Now + SweepEvery);
                }

                return flow;
            }
            catch (SocketException)
            {
                status = DialStatus.Busy;
            }
        }

        return Refuse(datagram.Flow, status);
    }

    private FarFlow? Refuse(uint flow, DialStatus status)
    {
        acceptor.Count(status);
        sender.Tell(connection!, flow, FlowFlags.Refused, status);
        return null;
    }

    // Idle flows go, and so do those whose endpoint has left this node's list.
    private void Sweep()
    {
        foreach ((uint id, FarFlow flow) in far)
        {
            bool isMine = acceptor.IsLocalEndpoint(TransportProtocol.Udp, flow.EndPoint);
            if (isMine && !flow.IsIdle(reactor.Now))
            {
                continue;
            }

            far.Remove(id);
            flow.Dispose();
            if (!isMine && connection is { IsConnected: true } up)
            {
                sender.Tell(up, id, FlowFlags.Refused, DialStatus.NotMine);
            }
        }

        if (far.Count > 0)
        {
            sweep.Set(reactor.Now + SweepEvery);
        }
    }
}
