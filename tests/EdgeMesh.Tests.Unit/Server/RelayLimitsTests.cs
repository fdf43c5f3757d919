using System.Diagnostics;
using System.Net;

using EdgeMesh.Server;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>The limits of a server on real sockets.</summary>
public sealed class RelayLimitsTests
{
    [Fact]
    public async Task OneAgentTooManyIsRefusedAndOneThatComesBackIsNot()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(limits: new RelayLimits { MaxAgents = 1 });
        TestAgent first = await server.ConnectedAsync("edge1");
        TestAgent second = server.Agent("edge2");
        second.Certificate = second.Key.With((await second.EnrollAsync(server.Token())).Good!.Certificate);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await second.RefusedConnectAsync());

        using TestAgent again = server.Agent("edge1");
        again.Certificate = first.Key.With(first.Certificate!.ExportCertificatePem());
        await again.ConnectAsync();
        Assert.Equal(SignalMessage.CloseReplaced, await first.ReceiveCloseAsync());
        Assert.Equal("edge1", Assert.Single(server.Service.Status.Agents).Node.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AFloodTakesNothingFromAModestSender(bool isUdp)
    {
        await using ServerFixture server = await ServerFixture.StartAsync(limits: new RelayLimits { TotalRate = 400_000 });
        TestAgent flooder = await server.ConnectedAsync("flooder");
        TestAgent modest = await server.ConnectedAsync("modest");
        TestAgent victim = await server.ConnectedAsync("victim");
        TestAgent sink = await server.ConnectedAsync("sink");
        TestLeg toVictim = await server.BoundAsync(victim);
        TestLeg? flood = isUdp ? await server.BoundAsync(flooder) : null;
        TestLeg? trickle = isUdp ? await server.BoundAsync(modest) : null;
        await server.BoundAsync(sink);

        // For three seconds: 4 MB/s against 40 kB/s, where there are 400 kB/s.
        int sent = 0;
        bool isShared = false;
        double nextAt = 0;
        long began = Stopwatch.GetTimestamp();
        for (double passed = 0; passed < 3; passed = Stopwatch.GetElapsedTime(began).TotalSeconds)
        {
            // Forty a second; what a busy machine made late is not made up for in a burst, which would be no modest sender.
            if (passed >= nextAt)
            {
                nextAt = passed + 0.025;
                sent++;
                await SendAsync(modest, trickle, modest.Frame(victim.Node, BitConverter.GetBytes(sent).Concat(new byte[978]).ToArray()));
            }

            for (int i = 0; i < 20; i++)
            {
                await SendAsync(flooder, flood, flooder.Frame(sink.Node, new byte[982]));
            }

            isShared |= server.Service.Status.FairShare is not null;
            await Task.Delay(5);
        }

        // The end of it is told by a frame that comes through when the flood is over; the first may fall to its last bytes.
        int got = 0;
        byte[] end = modest.Frame(victim.Node, [1]);
        for (Task<byte[]> next = toVictim.ReceiveAsync(); ;)
        {
            await SendAsync(modest, trickle, end);
            if (await Task.WhenAny(next, Task.Delay(50)) != next)
            {
                continue;
            }

            if ((await next).Length == end.Length)
            {
                break;
            }

            got++;
            next = toVictim.ReceiveAsync();
        }

        Assert.True(got >= sent * 0.95, $"{got} of {sent} came through");
        Assert.True(server.Dropped("fair-share") > 1000, "the flood must have been held to its share");
        Assert.True(isShared, "status must say that there are shares");
    }

    private static async Task SendAsync(TestAgent agent, TestLeg? leg, byte[] frame)
    {
        if (leg is not null)
        {
            leg.Send(frame);
        }
        else
        {
            await agent.SendFramesAsync(frame);
        }
    }
}
