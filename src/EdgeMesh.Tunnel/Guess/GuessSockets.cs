using System.Net.Sockets;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Guess;

/// <summary>
/// The side behind the hard NAT: many sockets, each of which opens a mapping of its own towards the peer. The one that the peer's
/// guess reaches becomes the way to it. In the loop only.
/// </summary>
internal sealed class GuessSockets
{
    private readonly PeerContext context;
    private readonly Peer peer;
    private readonly List<UdpSocket> sockets = new(GuessBudget.Sockets);
    private readonly ReactorTimer end;
    private readonly long began;
    private bool isOver;

    private GuessSockets(PeerContext context, Peer peer)
    {
        this.context = context;
        this.peer = peer;
        began = context.Now;
        end = context.Reactor.CreateTimer(Fail);
    }

    /// <param name="context">What all peers share.</param>
    /// <param name="peer">Whom to reach.</param>
    /// <param name="targets">Its public addresses.</param>
    /// <param name="count">How many sockets.</param>
    public static GuessSockets? Start(PeerContext context, Peer peer, IReadOnlyList<WireAddress> targets, int count)
    {
        if (!context.TryTakeGuess())
        {
            return null;
        }

        GuessSockets guess = new(context, peer);
        guess.Open(targets, count);
        return guess;
    }

    /// <summary>The ports of the first sockets, on this side of the NAT.</summary>
    public ushort[] Ports(int count) => [.. sockets.Take(count).Select(socket => (ushort)socket.LocalEndPoint.Port)];

    public void Stop()
    {
        if (isOver)
        {
            return;
        }

        isOver = true;
        context.GiveGuess();
        end.Cancel();
        foreach (UdpSocket socket in sockets)
        {
            socket.Dispose();
        }

        sockets.Clear();
    }

    private void Open(IReadOnlyList<WireAddress> targets, int count)
    {
        TunnelLog.GuessBegins(
            context.Log, peer.Node.Value, count, context.IsBehindHardNat ? "our NAT gives every destination another port" : "ordinary probes do not get through");
        Span<byte> ping = stackalloc byte[Probe.MinLength];
        for (int i = 0; i < count; i++)
        {
            try
            {
                UdpSocket socket = context.Port.OpenExtra(OnDatagram);
                sockets.Add(socket);
                foreach (WireAddress target in targets)
                {
                    int length = peer.WritePing(ping);
                    TunnelMetrics.CountProbe();
                    _ = socket.Send(Udp.WireAddresses.ToUdp(target), ping[..length], length);
                }
            }
            catch (SocketException)
            {
                // Out of files: the guess goes on with what there is.
                break;
            }
        }

        end.Set(context.Now + (count == GuessBudget.FewSockets ? GuessBudget.FewSocketsFor : GuessBudget.SocketsFor));
    }

    /// <summary>Something came to one of the sockets: is it the peer's guess?</summary>
    private bool OnDatagram(UdpSocket socket, WireAddress from, ReadOnlySpan<byte> datagram)
    {
        if (isOver || !peer.IsFromPeer(datagram))
        {
            return false;
        }

        TunnelLog.GuessHit(context.Log, peer.Node.Value, (context.Now - began) / Paths.PathTiming.Millisecond);
        sockets.Remove(socket);
        context.Port.Use(from, socket);

        // Not inside the callback of one of them.
        context.Reactor.AtEndOfTurn(Stop);
        return true;
    }

    private void Fail()
    {
        TunnelLog.GuessFailed(context.Log, peer.Node.Value);
        Stop();
    }
}
