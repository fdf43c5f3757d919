using System.Net;
using System.Security.Cryptography;

using EdgeMesh.Model;
using EdgeMesh.Server.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>
/// One connected agent. Everything here may be touched from any thread: what never changes is set at construction, the UDP leg
/// is an immutable object that the reactor replaces, and the queue has its own lock.
/// </summary>
internal sealed class Session : IDisposable
{
    /// <summary>Hellos come every 15 s; three lost ones and the WebSocket takes over.</summary>
    private const long LegLifetime = 50_000_000_000;

    private const int KeptNonces = 64;
    private const int GonePerWindow = 20;
    private const long GoneWindow = 1_000_000_000;

    private readonly CancellationTokenSource aborted = new();

    // Guards gone*: a rare path from two threads.
    private readonly Lock gate = new();

    // Reactor only: nonces of late hellos, so that a recorded one cannot carry the leg to another address.
    private readonly ulong[] nonces = new ulong[KeptNonces];
    private int nextNonce;

    private volatile UdpLeg? leg;
    private volatile bool wantsUdp;
    private long helloAt;
    private long heardAt;
    private long relayedAt = long.MinValue / 2;
    private long goneSince;
    private int goneCount;

    public Session(NodeName node, string serial, OutboundQueue outbound, long now)
    {
        Node = node;
        Address = MeshAddress.Of(node);
        Serial = serial;
        do
        {
            Id = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        }
        while (Id == 0);

        Key = RandomNumberGenerator.GetBytes(32);
        Outbound = outbound;
        heardAt = now;
    }

    public NodeName Node { get; }

    public MeshAddress Address { get; }

    /// <summary>Where its WebSocket comes from.</summary>
    public IPAddress? From { get; init; }

    /// <summary>Of the client certificate, hex.</summary>
    public string Serial { get; }

    public ulong Id { get; }

    /// <summary>Authenticates UDP hellos and their answers.</summary>
    public byte[] Key { get; }

    public OutboundQueue Outbound { get; }

    /// <summary>What this agent sends through the relay.</summary>
    public RelaySource Sent { get; } = new();

    public CancellationToken Aborted => aborted.Token;

    /// <summary>Set once, before the queue is closed: how the WebSocket is to be closed.</summary>
    public (int Code, string Reason) Farewell { get; private set; } = (1000, "");

    /// <summary>When the agent was last heard on its WebSocket, in the ticks of the hub's <see cref="TimeProvider"/>.</summary>
    public long HeardAt
    {
        get => Volatile.Read(ref heardAt);
        set => Volatile.Write(ref heardAt, value);
    }

    /// <summary>When a frame of this agent was last relayed, in ticks of the reactor's clock.</summary>
    public long RelayedAt
    {
        get => Volatile.Read(ref relayedAt);
        set => Volatile.Write(ref relayedAt, value);
    }

    /// <summary>The agent's own word on whether its UDP leg works.</summary>
    public bool WantsUdp
    {
        get => wantsUdp;
        set => wantsUdp = value;
    }

    /// <summary>Where hellos came from last; null before the first.</summary>
    public UdpLeg? Bound => leg;

    /// <summary>The UDP leg if frames for this agent should take it at <paramref name="now"/> (reactor clock), else null.</summary>
    public UdpLeg? UsableLeg(long now) => wantsUdp && now - Volatile.Read(ref helloAt) < LegLifetime ? leg : null;

    /// <summary>Reactor only. Takes a hello whose MAC was right; false when it is an old one that came from elsewhere.</summary>
    public bool Hello(UdpLeg from, ulong nonce, long now)
    {
        UdpLeg? bound = leg;
        bool isKnown = bound is not null && bound.Equals(from);
        if (!isKnown)
        {
            if (nonces.AsSpan(0, Math.Min(nextNonce, KeptNonces)).Contains(nonce))
            {
                return false;
            }

            leg = from;
        }

        if (!nonces.AsSpan(0, Math.Min(nextNonce, KeptNonces)).Contains(nonce))
        {
            nonces[nextNonce++ % KeptNonces] = nonce;
        }

        Volatile.Write(ref helloAt, now);
        return true;
    }

    /// <summary>Whether this agent may be told of one more peer that is gone: a few a second, it repeats itself otherwise.</summary>
    public bool MayTellGone(long now)
    {
        lock (gate)
        {
            if (now - goneSince >= GoneWindow)
            {
                goneSince = now;
                goneCount = 0;
            }

            return goneCount++ < GonePerWindow;
        }
    }

    /// <summary>Ends the session in good order: nothing more is queued, what waits is sent, then the WebSocket closes. The first reason counts.</summary>
    public void Close(int code, string reason)
    {
        lock (gate)
        {
            if (Outbound.IsClosed)
            {
                return;
            }

            Farewell = (code, reason);
            Outbound.Close();
        }
    }

    /// <summary>Ends the session at once.</summary>
    public void Abort()
    {
        try
        {
            aborted.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself meanwhile.
        }
    }

    public void Dispose()
    {
        Outbound.Dispose();
        aborted.Dispose();
    }
}
