using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;

using EdgeMesh.Model;
using EdgeMesh.Server;
using EdgeMesh.Server.Sessions;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class RelayTests : IAsyncLifetime
{
    private ServerFixture server = null!;
    private TestAgent edge1 = null!;
    private TestAgent edge2 = null!;

    public async Task InitializeAsync()
    {
        server = await ServerFixture.StartAsync();
        edge1 = await server.ConnectedAsync("edge1");
        edge2 = await server.ConnectedAsync("edge2");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public void WelcomesWithAllThatAnAgentNeeds()
    {
        SignalMessage welcome = edge1.Welcome!;
        Assert.Equal(32, edge1.SessionKey.Length);
        Assert.NotEqual(0UL, edge1.Session);
        Assert.NotEqual(edge1.Session, edge2.Session);
        Assert.Equal([$"{server.EndPoint}", $"127.0.0.1:{server.Service.Status.SecondUdpPort}"], welcome.Udp!);
        Assert.Equal([$"{server.EndPoint}"], welcome.Addresses!);
        Assert.Equal(edge2.Welcome!.BootId, welcome.BootId);
        Assert.Equal(["edge1", "edge2"], server.Service.Status.Agents.Select(agent => agent.Node.Value));
    }

    [Fact]
    public async Task RelaysBetweenWebSockets()
    {
        byte[][] payloads = [.. new[] { 0, 1, 1200, 16_000 }.Select(RandomNumberGenerator.GetBytes)];
        await edge1.SendFramesAsync([.. payloads.Select(payload => edge1.Frame(edge2.Node, payload))]);
        foreach (byte[] payload in payloads)
        {
            AssertFrom(edge1, payload, await edge2.ReceiveFrameAsync());
        }

        await edge2.SendFramesAsync(edge2.Frame(edge1.Node, payloads[2]));
        AssertFrom(edge2, payloads[2], await edge1.ReceiveFrameAsync());
    }

    /// <summary>A record for each block of Kestrel's own memory, 4 KiB, would cost both ends twice the work for the same bytes.</summary>
    [Fact]
    public async Task FillsTlsRecords()
    {
        await edge1.SendFramesAsync(edge1.Frame(edge2.Node, new byte[16_000]));
        await edge2.ReceiveFrameAsync();
        Assert.InRange(edge2.Records!.Largest, 16_000, 16_500);
    }

    [Fact]
    public async Task RelaysManyRecordsOverManyMessages()
    {
        byte[][] payloads = [.. Enumerable.Range(0, 300).Select(i => RandomNumberGenerator.GetBytes(i * 53 % 16_000))];
        foreach (byte[][] some in payloads.Chunk(3))
        {
            await edge1.SendFramesAsync([.. some.Select(payload => edge1.Frame(edge2.Node, payload))]);
            foreach (byte[] payload in some)
            {
                AssertFrom(edge1, payload, await edge2.ReceiveFrameAsync());
            }
        }
    }

    [Fact]
    public async Task RelaysOverUdp()
    {
        TestLeg leg1 = await server.BoundAsync(edge1);
        TestLeg leg2 = await server.BoundAsync(edge2);
        for (int i = 0; i < 50; i++)
        {
            byte[] payload = RandomNumberGenerator.GetBytes(i * 1200 / 49);
            leg1.Send(edge1.Frame(edge2.Node, payload));
            AssertFrom(edge1, payload, await leg2.ReceiveAsync());
        }

        Assert.True(server.Service.Status.Agents.All(agent => agent.IsUdp));
        Assert.Equal(50, server.Service.Status.UdpFrames);
    }

    [Fact]
    public async Task RelaysBetweenUnlikeLegs()
    {
        TestLeg leg1 = await server.BoundAsync(edge1);
        byte[] payload = RandomNumberGenerator.GetBytes(1200);
        leg1.Send(edge1.Frame(edge2.Node, payload));
        AssertFrom(edge1, payload, await edge2.ReceiveFrameAsync());

        byte[][] payloads = [.. new[] { 1200, 1200, 1200, 700, 900, 900, 20 }.Select(RandomNumberGenerator.GetBytes)];
        await edge2.SendFramesAsync([.. payloads.Select(one => edge2.Frame(edge1.Node, one))]);
        foreach (byte[] one in payloads)
        {
            AssertFrom(edge2, one, await leg1.ReceiveAsync());
        }
    }

    [Fact]
    public async Task DropsWhatIsTooBigForTheReceiversLeg()
    {
        TestLeg leg1 = await server.BoundAsync(edge1);
        await edge2.SendFramesAsync(edge2.Frame(edge1.Node, new byte[1201]), edge2.Frame(edge1.Node, [7]));
        AssertFrom(edge2, [7], await leg1.ReceiveAsync());
        Assert.Equal(1, server.Dropped("too-big"));

        TestLeg leg2 = await server.BoundAsync(edge2);
        leg1.Send(edge1.Frame(edge2.Node, new byte[1201]));
        leg1.Send(edge1.Frame(edge2.Node, [8]));
        AssertFrom(edge1, [8], await leg2.ReceiveAsync());
        Assert.Equal(2, server.Dropped("too-big"));
    }

    [Fact]
    public async Task TakesTheWebSocketWhileTheAgentSaysItsUdpLegIsDown()
    {
        await server.BoundAsync(edge1);
        await edge1.SendSignalAsync(new SignalMessage { Type = SignalMessage.UdpLeg, Bound = false });
        await edge1.PingAsync();
        await edge2.SendFramesAsync(edge2.Frame(edge1.Node, [1, 2, 3]));
        AssertFrom(edge2, [1, 2, 3], await edge1.ReceiveFrameAsync());
    }

    [Fact]
    public async Task TellsOfPeersThatAreGone()
    {
        NodeName nobody = NodeName.Parse("nobody");
        await edge1.SendFramesAsync(edge1.Frame(nobody, [1]));
        AssertGone(nobody, await edge1.ReceiveFrameAsync());

        TestLeg leg = await server.BoundAsync(edge1);
        leg.Send(edge1.Frame(nobody, [1]));
        AssertGone(nobody, await leg.ReceiveAsync());

        for (int i = 0; i < 100; i++)
        {
            leg.Send(edge1.Frame(nobody, [1]));
        }

        // A loop through the relay ends what may still come: all that was sent before has been dealt with.
        leg.Send(edge1.Frame(edge1.Node, [9]));
        int told = 0;
        while (PacketKinds.Of(await leg.ReceiveAsync()) == PacketKind.PeerGone)
        {
            told++;
        }

        Assert.InRange(told, 0, 60);
        Assert.Equal(102, server.Dropped("peer-gone"));
    }

    [Fact]
    public async Task DropsFramesOfWrongSessionsAndAddresses()
    {
        TestLeg leg1 = await server.BoundAsync(edge1);
        TestLeg leg2 = await server.BoundAsync(edge2);
        TestLeg stranger = server.Leg(edge1);
        stranger.Send(edge1.Frame(edge2.Node, [1]));

        // It may be edge1 behind a NAT that has forgotten it: it is told to say hello, and gets nothing else.
        Assert.True(HelloWanted.TryRead(await stranger.ReceiveAsync(), out ulong wanted));
        Assert.Equal(edge1.Session, wanted);
        await stranger.ExpectOnlyStunAsync();
        Assert.Equal(1, server.Dropped("address"));

        byte[] wrong = edge1.Frame(edge2.Node, [1]);
        wrong[10] ^= 1;
        leg1.Send(wrong);
        // Another's session from one's own leg.
        leg1.Send(edge2.Frame(edge2.Node, [1]));
        Assert.True(HelloWanted.TryRead(await leg1.ReceiveAsync(), out _));
        await leg1.ExpectOnlyStunAsync();
        await leg2.ExpectOnlyStunAsync();
        Assert.Equal(1, server.Dropped("session"));
        Assert.Equal(2, server.Dropped("address"));

        await edge1.SendFramesAsync(edge2.Frame(edge2.Node, [1]));
        await edge1.PingAsync();
        Assert.Equal(2, server.Dropped("session"));
    }

    [Fact]
    public async Task BindsNobodyWithoutTheKey()
    {
        TestLeg leg = server.Leg(edge1);
        leg.Send(leg.Hello(1, new byte[32]));
        leg.Send(leg.Hello(1, edge2.SessionKey));
        byte[] cut = leg.Hello(1)[..33];
        leg.Send(cut);
        await leg.ExpectOnlyStunAsync();
        Assert.Equal(2, server.Dropped("session"));
        Assert.Null(server.Service.Status.Agents[0].UdpAddress);
    }

    [Fact]
    public async Task ARecordedHelloDoesNotMoveTheLeg()
    {
        TestLeg leg = server.Leg(edge1);
        byte[] hello = leg.Hello(42);
        leg.Send(hello);
        await leg.ReceiveAsync();
        TestLeg attacker = server.Leg(edge1);
        attacker.Send(hello);
        await attacker.ExpectOnlyStunAsync();
        Assert.Equal(leg.Local, server.Service.Status.Agents[0].UdpAddress);

        // The same again from its own address is a repetition whose answer was lost.
        leg.Send(hello);
        Assert.Equal(PacketKind.RelayHelloAnswer, PacketKinds.Of(await leg.ReceiveAsync()));
    }

    [Fact]
    public async Task ALegMovesWithItsAgent()
    {
        await server.BoundAsync(edge1);
        TestLeg moved = server.Leg(edge1);
        await moved.HelloAsync();
        Assert.Equal(moved.Local, server.Service.Status.Agents[0].UdpAddress);
        await edge2.SendFramesAsync(edge2.Frame(edge1.Node, [5]));
        AssertFrom(edge2, [5], await moved.ReceiveAsync());
    }

    [Fact]
    public async Task ANewerConnectionClosesTheOlder()
    {
        using TestAgent again = server.Agent("edge1");
        again.Certificate = edge1.Key.With(edge1.Certificate!.ExportCertificatePem());
        await again.ConnectAsync();
        Assert.Equal(SignalMessage.CloseReplaced, await edge1.ReceiveCloseAsync());
        await edge2.SendFramesAsync(edge2.Frame(edge1.Node, [1]));
        AssertFrom(edge2, [1], await again.ReceiveFrameAsync());
        Assert.Equal(2, server.Service.Status.Agents.Length);
    }

    [Fact]
    public async Task ARevocationEndsTheSessionAndTellsTheOthers()
    {
        server.Registry.RevokeNode(edge1.Node);
        Assert.Equal(SessionHub.CloseRevoked, await edge1.ReceiveCloseAsync());
        SignalMessage told = await edge2.ReceiveTextAsync();
        Assert.Equal(SignalMessage.Revoked, told.Type);
        RevocationList list = RevocationList.TryVerify(Convert.FromBase64String(told.List!), server.Registry.Authority.Certificate)!;
        Assert.Equal((1u, (ushort)0, (ushort)1), (told.Number!.Value, told.Part!.Value, told.Parts!.Value));
        Assert.Equal((1u, 1), (list.Number, list.Count));
        Assert.True(list.Contains(edge1.Certificate!.SerialNumber));

        TestAgent edge3 = await server.ConnectedAsync("edge3");
        Assert.Equal(told.List, (await edge3.ReceiveTextAsync()).List);
    }

    [Fact]
    public async Task TellsAgentsWhenItDrainsAndStops()
    {
        server.Service.Drain();
        Assert.Equal(SignalMessage.Drain, (await edge1.ReceiveTextAsync()).Type);
        Task stopped = server.Service.DisposeAsync().AsTask();
        Assert.Equal(1001, await edge1.ReceiveCloseAsync());
        Assert.Equal(1001, await edge2.ReceiveCloseAsync());
        await stopped;
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 1 })]
    [InlineData(new byte[] { 0, 9, 8, 0x10 })]
    [InlineData(new byte[] { 0 })]
    public async Task ClosesAWebSocketThatBringsNoRecords(byte[] message)
    {
        await edge1.SendRawAsync(message, WebSocketMessageType.Binary);
        Assert.Equal(1002, await edge1.ReceiveCloseAsync());
        await edge2.PingAsync();
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[1]")]
    public async Task ClosesAWebSocketThatBringsNoMessage(string text)
    {
        await edge1.SendSignalAsync(new SignalMessage { Type = "unknown-to-this-server" });
        await edge1.PingAsync();
        await edge1.SendRawAsync(System.Text.Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);
        Assert.Equal(1002, await edge1.ReceiveCloseAsync());
    }

    [Fact]
    public async Task RandomBytesAtEveryPortChangeNothing()
    {
        TestLeg leg1 = await server.BoundAsync(edge1);
        TestLeg leg2 = await server.BoundAsync(edge2);
        Random random = new(1);
        using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        byte[] valid = edge1.Frame(edge2.Node, new byte[20]);
        for (int i = 0; i < 3000; i++)
        {
            byte[] noise = new byte[random.Next(0, 200)];
            random.NextBytes(noise);
            if (i % 3 == 0 && noise.Length > 2)
            {
                noise[0] = (byte)random.Next(0, 12);
                noise[1] = 0x10;
            }

            if (i % 5 == 0)
            {
                noise = valid[..random.Next(0, valid.Length)];
            }

            int port = i % 2 == 0 ? server.EndPoint.Port : server.Service.Status.SecondUdpPort;
            udp.SendTo(noise, new IPEndPoint(IPAddress.Loopback, port));
            if (i % 50 == 0)
            {
                await leg1.ExpectOnlyStunAsync();
            }
        }

        for (int i = 0; i < 20; i++)
        {
            using Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await tcp.ConnectAsync(server.EndPoint);
            byte[] noise = new byte[random.Next(1, 2000)];
            random.NextBytes(noise);
            try
            {
                await tcp.SendAsync(noise);
                tcp.Shutdown(SocketShutdown.Send);
                while (await tcp.ReceiveAsync(new byte[4096]) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // A reset is an answer too.
            }
        }

        leg1.Send(edge1.Frame(edge2.Node, [1]));
        AssertFrom(edge1, [1], await leg2.ReceiveAsync());
        await edge1.PingAsync();
        Assert.Equal(2, server.Service.Status.Agents.Length);
        Assert.Equal(2, server.Registry.ListNodes().Count);
    }

    [Fact]
    public async Task AReceiverThatDoesNotReadHarmsNobody()
    {
        TestAgent edge3 = await server.ConnectedAsync("edge3");
        byte[] payload = new byte[16_000];
        byte[] frame = edge1.Frame(edge2.Node, payload);
        while (server.Dropped("queue-full") == 0)
        {
            await edge1.SendFramesAsync(frame, frame, frame);
        }

        Assert.InRange(server.Service.Status.Agents.Max(agent => agent.QueuedBytes), 1, RelayLimits.DefaultAgentQueue);
        await edge1.SendFramesAsync(edge1.Frame(edge3.Node, [1]));
        AssertFrom(edge1, [1], await edge3.ReceiveFrameAsync());
        await edge1.PingAsync();
    }

    [CoturnTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CoturnsClientGetsItsReflexiveAddress(bool second)
    {
        int port = second ? server.Service.Status.SecondUdpPort : server.EndPoint.Port;
        ProcessStartInfo start = new(CoturnTheoryAttribute.StunClient, ["-p", $"{port}", "127.0.0.1"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process client = Process.Start(start)!;
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        string output = await client.StandardOutput.ReadToEndAsync(patience.Token) + await client.StandardError.ReadToEndAsync(patience.Token);
        await client.WaitForExitAsync(patience.Token);
        Assert.Equal(0, client.ExitCode);
        Assert.Contains("UDP reflexive addr: 127.0.0.1:", output, StringComparison.Ordinal);
    }

    private static void AssertFrom(TestAgent source, byte[] payload, byte[] frame)
    {
        Assert.True(RelayFrame.TryRead(frame, out RelayFrame header));
        Assert.Equal(new RelayFrame(MeshAddress.Of(source.Node), 0), header);
        Assert.Equal(payload, frame[RelayFrame.HeaderLength..]);
    }

    private static void AssertGone(NodeName node, byte[] frame)
    {
        Assert.True(PeerGone.TryRead(frame, out MeshAddress address));
        Assert.Equal(MeshAddress.Of(node), address);
    }
}
