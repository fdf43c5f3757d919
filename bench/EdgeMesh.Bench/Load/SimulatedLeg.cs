using System.Net;
using System.Security.Cryptography;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>
/// The UDP leg of a simulated agent: a socket of its own, hellos when the real <see cref="UdpLeg"/> says so, and with each the
/// question to the second port that a real agent asks. In the loop, but for what says otherwise.
/// </summary>
internal sealed class SimulatedLeg : IDisposable
{
    // A receiver under load must not lose what the server relayed.
    private const int BufferBytes = 1 << 20;

    private readonly Reactor reactor;
    private readonly UdpSocket socket;
    private readonly Action<bool> onBound;
    private readonly ReactorTimer timer;
    private readonly UdpLeg leg = new(static () => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
    private byte[] key = [];
    private ulong session;
    private UdpAddress relay;
    private UdpAddress second;
    private long received;

    /// <param name="reactor">Its loop.</param>
    /// <param name="source">Address to bind.</param>
    /// <param name="onBound">Told when UDP begins or ends to work.</param>
    public SimulatedLeg(Reactor reactor, IPAddress source, Action<bool> onBound)
    {
        this.reactor = reactor;
        this.onBound = onBound;
        timer = reactor.CreateTimer(Advance);
        socket = UdpSocket.Open(reactor, new IPEndPoint(source, 0), new UdpSocketOptions { BufferBytes = BufferBytes }, OnDatagrams);
    }

    /// <summary>Any thread.</summary>
    public bool IsBound => leg.IsBound;

    /// <summary>Relayed payload bytes. Any thread.</summary>
    public long Received => Interlocked.Read(ref received);

    /// <summary>A session begins. Any thread.</summary>
    public void Start(ulong id, byte[] sessionKey, IPEndPoint relayPort, IPEndPoint secondPort) => reactor.Post(() =>
    {
        (session, key) = (id, sessionKey);
        (relay, second) = (UdpAddress.From(relayPort), UdpAddress.From(secondPort));
        leg.Start(reactor.Now);
        Advance();
    });

    /// <summary>It has ended. Any thread.</summary>
    public void Stop() => reactor.Post(() =>
    {
        leg.Stop();
        timer.Cancel();
    });

    /// <summary>Sends frames whose headers are written already.</summary>
    public void Send(ReadOnlySpan<byte> train, int segmentSize)
    {
        leg.OnTraffic(reactor.Now);
        timer.Set(leg.Deadline);
        socket.Send(relay, train, segmentSize);
    }

    /// <summary>Any thread.</summary>
    public void Dispose() => socket.Dispose();

    private void Advance()
    {
        if (leg.Advance(reactor.Now, out ulong? nonce))
        {
            onBound(false);
        }

        if (nonce is { } hello)
        {
            Span<byte> datagram = stackalloc byte[Math.Max(RelayHello.Length, Stun.MaxLength)];
            int length = new RelayHello(session, hello).Write(datagram, key);
            socket.Send(relay, datagram[..length], length);
            length = Stun.WriteRequest(datagram, TransactionId.NewRandom());
            socket.Send(second, datagram[..length], length);
        }

        timer.Set(leg.Deadline);
    }

    private void OnDatagrams(in UdpAddress from, Span<byte> train, int segmentSize)
    {
        switch (PacketKinds.Of(train))
        {
            case PacketKind.RelayData:
                int frames = (train.Length + segmentSize - 1) / segmentSize;
                Interlocked.Add(ref received, train.Length - (frames * RelayFrame.HeaderLength));
                break;
            case PacketKind.RelayHelloAnswer when RelayHelloAnswer.TryRead(train, out RelayHelloAnswer answer) && RelayHelloAnswer.Verify(train, key):
                bool wasBound = leg.IsBound;
                leg.OnAnswer(answer.Nonce, answer.Observed, reactor.Now);
                if (!wasBound && leg.IsBound)
                {
                    onBound(true);
                }

                timer.Set(leg.Deadline);
                break;
        }
    }
}
