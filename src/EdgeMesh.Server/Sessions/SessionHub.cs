using System.Net;
using System.Net.WebSockets;

using EdgeMesh.Model;
using EdgeMesh.Server.Http;
using EdgeMesh.Server.Relay;
using EdgeMesh.Server.State;
using EdgeMesh.Tunnel.Wire;

using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Sessions;

/// <summary>
/// Presence: takes a verified agent's WebSocket, makes its session, and lets go of it when it is silent, replaced, revoked or
/// the server stops.
/// </summary>
internal sealed class SessionHub(
    Registry registry, SessionTable sessions, UdpRelay udp, RelayLimits limits, QueueBudget budget, RelayCounters counters,
    ServerAddresses addresses, string serverId, TimeProvider time, ILogger log)
{
    /// <summary>Close codes beside <see cref="SignalMessage.CloseReplaced"/>.</summary>
    public const int CloseRevoked = 4003;
    private const int GoingAway = 1001;
    private const int TryAgainLater = 1013;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    private readonly string bootId = Guid.NewGuid().ToString("n");

    // Guards what is known of revocations: checked by the watch, told to each new session.
    private readonly Lock gate = new();
    private DateTime revocationsSeenAt;
    private int lastRevocation;
    private RevocationList revoked = RevocationList.Empty;
    private string[] servers = [];
    private volatile bool isDraining;

    public bool HasRoomFor(NodeName node) => sessions.HasRoomFor(MeshAddress.Of(node));

    /// <summary>Runs a session to its end. The certificate has been checked against CA and registry.</summary>
    public async Task RunAsync(WebSocket socket, NodeName node, string serial, IPAddress? from)
    {
        using Session session = new(node, serial, new OutboundQueue(limits.AgentQueue, budget, counters), time.GetTimestamp()) { From = from };
        session.Outbound.EnqueueControl(Signals.Welcome(session, [.. addresses.Udp], [.. addresses.Tcp], bootId, serverId, Volatile.Read(ref servers)));
        SessionSocket pump = new(socket, session, new SocketFrames(session, sessions, udp, udp.Shares, counters), time);
        if (!sessions.TryAdd(session, out Session? older))
        {
            // Others came in the moment since there was room.
            session.Close(TryAgainLater, ApiError.Full.Message);
            await pump.RunAsync().ConfigureAwait(false);
            return;
        }

        older?.Close(SignalMessage.CloseReplaced, "the node has a newer connection");
        ServerLog.Connected(log, node, from);
        try
        {
            Introduce(session);
            await pump.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            sessions.Remove(session);
            ServerLog.Disconnected(log, node, session.Farewell.Reason.Length > 0 ? session.Farewell.Reason : "the connection ended");
        }
    }

    /// <summary>Ends silent sessions and those whose certificate was revoked. Called every other second.</summary>
    public void Check()
    {
        long now = time.GetTimestamp();
        foreach (Session session in sessions.All)
        {
            if (time.GetElapsedTime(session.HeardAt, now) > Silence)
            {
                session.Close(GoingAway, "silent for a minute");
                session.Abort();
            }
        }

        try
        {
            CheckRevocations();
        }
        catch (MeshException fault)
        {
            ServerLog.RegistryUnreadable(log, fault.Message);
        }
    }

    /// <summary>The mesh's servers, each <c>ID=host:port</c>; empty while not known.</summary>
    public IReadOnlyList<string> Servers => Volatile.Read(ref servers);

    /// <summary>The mesh's servers have changed: agents connect to all of them.</summary>
    /// <param name="all">Each <c>ID=host:port</c>, this one too.</param>
    public void UseServers(IEnumerable<string> all)
    {
        string[] next = [.. all.Order(StringComparer.Ordinal)];
        if (next.SequenceEqual(servers))
        {
            return;
        }

        Volatile.Write(ref servers, next);
        byte[] message = Signals.Servers(next);
        foreach (Session session in sessions.All)
        {
            session.Outbound.EnqueueControl(message);
        }
    }

    /// <summary>Tells every agent, and those still to come, to use another server if it has one.</summary>
    public void Drain()
    {
        isDraining = true;
        ServerLog.Draining(log, sessions.Count);
        foreach (Session session in sessions.All)
        {
            session.Outbound.EnqueueControl(Signals.Drain);
        }
    }

    /// <summary>Closes every session; they end within seconds.</summary>
    public void CloseAll()
    {
        foreach (Session session in sessions.All)
        {
            session.Close(GoingAway, "the server stops");
        }
    }

    /// <summary>Reads new revocations, ends their sessions and tells the others.</summary>
    private void CheckRevocations()
    {
        lock (gate)
        {
            // Two changes within one tick of the file system's clock have one time: a young time is not proof of no change.
            DateTime changedAt = registry.RevocationsChangedAt;
            if (changedAt == revocationsSeenAt && DateTime.UtcNow - changedAt > TimeSpan.FromSeconds(2))
            {
                return;
            }

            foreach (RevocationRecord record in registry.RevocationsAfter(lastRevocation))
            {
                lastRevocation = Math.Max(lastRevocation, record.Number);
                ServerLog.RevocationSeen(log, record.Number, record.Node, record.Serials.Count);
            }

            RevocationList? next = RevocationList.TryVerify(registry.SignedRevocations(), registry.Authority.Certificate);
            revocationsSeenAt = changedAt;
            if (next is null || next.Number <= revoked.Number)
            {
                return;
            }

            revoked = next;
            byte[][] messages = [.. Signals.Revoked(next)];
            foreach (Session session in sessions.All)
            {
                if (next.Contains(session.Serial))
                {
                    session.Close(CloseRevoked, "the node's certificate has been revoked");
                    continue;
                }

                foreach (byte[] message in messages)
                {
                    session.Outbound.EnqueueControl(message);
                }
            }
        }
    }

    /// <summary>What every agent knew before this one came; and the registry may have changed since its certificate was checked.</summary>
    private void Introduce(Session session)
    {
        lock (gate)
        {
            if (revoked.Contains(session.Serial))
            {
                session.Close(CloseRevoked, "the node's certificate has been revoked");
            }

            foreach (byte[] message in Signals.Revoked(revoked))
            {
                session.Outbound.EnqueueControl(message);
            }
        }

        if (isDraining)
        {
            session.Outbound.EnqueueControl(Signals.Drain);
        }
    }
}
