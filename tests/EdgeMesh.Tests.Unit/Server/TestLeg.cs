using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A raw UDP socket for one agent's relay leg.</summary>
internal sealed class TestLeg : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly TestAgent agent;

    public TestLeg(TestAgent agent, IPEndPoint server)
    {
        this.agent = agent;
        socket.ReceiveBufferSize = 4 << 20;
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Connect(server);
    }

    public IPEndPoint Local => (IPEndPoint)socket.LocalEndPoint!;

    public byte[] Hello(ulong nonce, byte[]? key = null)
    {
        byte[] hello = new byte[RelayHello.Length];
        new RelayHello(agent.Session, nonce).Write(hello, key ?? agent.SessionKey);
        return hello;
    }

    /// <summary>Binds the leg and checks the answer.</summary>
    public async Task HelloAsync()
    {
        ulong nonce = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        Send(Hello(nonce));
        byte[] answer = await ReceiveAsync();
        Assert.True(RelayHelloAnswer.Verify(answer, agent.SessionKey));
        Assert.True(RelayHelloAnswer.TryRead(answer, out RelayHelloAnswer read));
        Assert.Equal((nonce, WireAddress.From(Local)), (read.Nonce, read.Observed));
    }

    public void Send(byte[] datagram) => socket.Send(datagram);

    public async Task<byte[]> ReceiveAsync()
    {
        using CancellationTokenSource patience = new(Patience);
        byte[] buffer = new byte[65536];
        int length = await socket.ReceiveAsync(buffer, patience.Token);
        return buffer[..length];
    }

    /// <summary>A STUN Binding and its answer: what was sent before has been dealt with then, and nothing else was answered.</summary>
    public async Task ExpectOnlyStunAsync()
    {
        TransactionId id = TransactionId.NewRandom();
        byte[] request = new byte[Stun.MaxLength];
        int length = Stun.WriteRequest(request, id);
        Send(request[..length]);
        byte[] answer = await ReceiveAsync();
        Assert.True(Stun.TryReadSuccess(answer, out TransactionId answered, out WireAddress mapped), $"not STUN: {Convert.ToHexString(answer)}");
        Assert.Equal((id, WireAddress.From(Local)), (answered, mapped));
    }

    public void Dispose() => socket.Dispose();
}
