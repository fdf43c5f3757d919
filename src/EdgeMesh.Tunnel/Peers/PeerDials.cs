using System.Diagnostics.CodeAnalysis;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// Streams that wait for a connection, and the dial that is to bring it: through every server and to every known address at
/// once. In the loop only.
/// </summary>
internal sealed class PeerDials
{
    private const long Tick = 250 * PathTiming.Millisecond;
    private const long Patience = 10 * PathTiming.Second;
    private const long GonePatience = PathTiming.Second;
    private const int MaxWaiting = 4096;

    private readonly Peer peer;
    private readonly PeerContext context;
    private readonly Func<NodeName, IReadOnlyList<WireAddress>> knownAddresses;
    private readonly Queue<(IStreamUser User, long Until)> waiting = [];
    private readonly ReactorTimer timer;
    private PeerConnection? dialling;
    private long wantedSince = long.MaxValue;
    private bool isRelayOnly;

    public PeerDials(Peer peer, PeerContext context, Func<NodeName, IReadOnlyList<WireAddress>> knownAddresses)
    {
        this.peer = peer;
        this.context = context;
        this.knownAddresses = knownAddresses;
        timer = context.Reactor.CreateTimer(OnTick);
    }

    public void Add(IStreamUser user)
    {
        if (waiting.Count >= MaxWaiting)
        {
            user.Fail(DialStatus.Busy);
            return;
        }

        waiting.Enqueue((user, context.Now + Patience));
        if (peer.Current is { IsUsable: true })
        {
            // The stream limit: streams become available again, or the time is up.
            Arm();
        }
        else
        {
            EnsureConnected();
        }
    }

    public bool TryPeek([NotNullWhen(true)] out IStreamUser? user)
    {
        bool any = waiting.TryPeek(out (IStreamUser User, long Until) head);
        user = any ? head.User : null;
        return any;
    }

    public void Dequeue() => waiting.Dequeue();

    /// <summary>Someone wants the peer: dials it unless that is done already.</summary>
    public void EnsureConnected()
    {
        if (peer.Current is { IsUsable: true })
        {
            return;
        }

        if (wantedSince == long.MaxValue)
        {
            wantedSince = context.Now;
        }

        if (dialling is null)
        {
            Dial();
        }

        Arm();
    }

    /// <summary>Addresses from the node's own object and from earlier connections.</summary>
    public IEnumerable<WireAddress> Known() => knownAddresses(peer.Node).Where(a =>
        a.Port != context.Port.Number || !context.Local.Addresses.Contains(a.ToIPAddress()));

    public void OnRelaysChanged()
    {
        if (dialling is null)
        {
            return;
        }

        foreach (RelayLink link in context.Links)
        {
            if (link.IsConnected)
            {
                dialling.AddRoute(Route.Through(link, peer.Address));
            }
        }
    }

    public void OnGone()
    {
        if (dialling is not null)
        {
            Arm();
        }
    }

    public void OnClosed(PeerConnection connection, QuicCloseReason reason)
    {
        if (connection == dialling)
        {
            dialling = null;
            TunnelLog.DialFailed(context.Log, peer.Node.Value, $"{reason.Kind} {reason.Text}");
            if (connection.MetAnotherNode)
            {
                // One of the addresses is another node's (private addresses repeat): the servers know who is who.
                isRelayOnly = true;
            }
        }

        if (waiting.Count > 0 && peer.Current is null)
        {
            if (connection.MetAnotherNode || reason.Kind == QuicCloseKind.Reset)
            {
                EnsureConnected();
            }

            Arm();
        }
    }

    public void FailAll(DialStatus status)
    {
        while (waiting.TryDequeue(out (IStreamUser User, long Until) head))
        {
            head.User.Fail(status);
        }

        timer.Cancel();
    }

    private void Dial()
    {
        HandshakeOutput output = new(context.Port);
        foreach (RelayLink link in context.Links)
        {
            if (link.IsConnected)
            {
                output.Add(Route.Through(link, peer.Address));
            }
        }

        if (!context.Options.DisableDirect && !isRelayOnly)
        {
            foreach (WireAddress address in Known())
            {
                output.Add(Route.To(address));
            }
        }

        PeerConnection connection = new(context, output, peer);
        connection.Quic = context.Endpoint.Connect(output, connection, peer.TakeTicket());
        connection.Quic.Owner = connection;
        dialling = connection;
    }

    private void OnTick()
    {
        long now = context.Now;
        if (peer.Current is { IsUsable: true })
        {
            Settle();
            peer.StartDials();
        }
        else if (now - wantedSince >= GonePatience && peer.Gone.IsGoneEverywhere(now))
        {
            GiveUp();
        }
        else if (now - wantedSince >= Patience)
        {
            GiveUp();
        }
        else if (dialling is null)
        {
            Dial();
        }
        else if (peer.Gone.IsGoneEverywhere(now))
        {
            // It may be connecting to the server right now.
            dialling.Quic.Kick();
        }

        while (waiting.TryPeek(out (IStreamUser User, long Until) head) && (head.User.IsOver || now >= head.Until))
        {
            waiting.Dequeue();
            head.User.Fail(DialStatus.PeerUnreachable);
        }

        if (waiting.Count > 0 || wantedSince != long.MaxValue)
        {
            Arm();
        }
    }

    private void Settle()
    {
        wantedSince = long.MaxValue;
        isRelayOnly = false;
        if (dialling is { Quic.IsConnected: true } or { Quic.IsClosed: true })
        {
            dialling = null;
        }
    }

    private void GiveUp()
    {
        wantedSince = long.MaxValue;
        FailAll(DialStatus.PeerUnreachable);
        peer.Flows.FailAll();
        if (dialling is { } dead)
        {
            dialling = null;
            dead.Quic.Close(0, "given up");
        }
    }

    private void Arm()
    {
        if (timer.Deadline == long.MaxValue)
        {
            timer.Set(context.Now + Tick);
        }
    }
}
