using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Paths;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>A second server joins: agents use both without being told, and lose nothing with one.</summary>
public sealed class SeveralServersTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task AgentsLearnOfTheSecondServerAndARelayedTransferSurvivesTheFirst()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true);
        TestNode b = await mesh.AddAsync("edge2", disableDirect: true);
        await mesh.JoinSecondAsync();
        await a.UntilServersAsync(2);
        await b.UntilServersAsync(2);
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        await using TestTransfer transfer = await TestTransfer.StartAsync(a, b, endpoint);
        await transfer.MovesAsync();

        await mesh.StopServerAsync();
        await a.UntilServersAsync(1);
        await transfer.MovesAsync();
        Assert.Equal((DialStatus.Ok, "NEW"), await AskNewAsync(a, b).WaitAsync(Patience));

        // Who starts now finds the second one in what was kept, and is known there from the copy.
        await a.RestartAsync();
        await a.UntilServersAsync(1);
        Assert.Equal((DialStatus.Ok, "NEW"), await AskNewAsync(a, b).WaitAsync(Patience));
    }

    [Fact]
    public async Task ADrainedServerRelaysNothingAfterAMoment()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true);
        TestNode b = await mesh.AddAsync("edge2", disableDirect: true);
        await mesh.JoinSecondAsync();
        await a.UntilServersAsync(2);
        await b.UntilServersAsync(2);
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        await using TestTransfer transfer = await TestTransfer.StartAsync(a, b, endpoint);
        await transfer.MovesAsync();

        mesh.Server.Drain();
        using CancellationTokenSource limit = new(Patience);
        while (mesh.Server.Load.Relaying > 0)
        {
            await Task.Delay(50, limit.Token);
        }

        Assert.Equal(2, mesh.Server.Load.Connected);
        await transfer.MovesAsync();
        Assert.Equal(0, mesh.Server.Load.Relaying);
        Assert.Equal(2, mesh.Second!.Load.Relaying);
    }

    [Fact]
    public async Task TheSecondServerSendsOnWhoeverWantsACertificateAndKnowsWhoHasJustEnrolled()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        await mesh.JoinSecondAsync();
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true, server: mesh.SecondText);
        await a.UntilServersAsync(2);
    }

    [Fact]
    public async Task ARevokedServerIsLeft()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true);
        await mesh.JoinSecondAsync();
        await a.UntilServersAsync(2);

        mesh.RevokeSecond();

        // It is disconnected first and left afterwards.
        await Eventually.HoldsAsync(() => a.Tunnel.Servers is [{ Connected: true }]);
        Assert.Equal(mesh.ServerText, Assert.Single(a.Tunnel.Servers).Server);
    }

    [Fact]
    public async Task ARevocationReachesAPeerThatSeesNoServer()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        TestNode c = await mesh.AddAsync("edge3");
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        foreach (TestNode from in (TestNode[])[a, c])
        {
            Assert.Equal((DialStatus.Ok, "HELLO"), await endpoint.AskAsync(from, b, "hello").WaitAsync(Patience));
            await from.UntilAsync(b, p => p.Path >= PathKind.Direct);
        }

        // The server is gone for b; a, which got the list as the server's last word, hands it on.
        await mesh.StopServerAsync();
        await b.UntilServersAsync(0);
        a.Tunnel.Revoke(mesh.SignRevocation("edge3"));
        await b.UntilAsync(c, p => !p.Connected);
        (NetworkStream client, Socket accepted, Task<TcpForwardResult> result) = await c.DialAsync(b, endpoint.EndPoint);
        await using NetworkStream closing = client;
        using Socket back = accepted;
        Assert.Equal(DialStatus.PeerUnreachable, (await result.WaitAsync(Patience)).Status);
        Assert.Equal((DialStatus.Ok, "STILL"), await endpoint.AskAsync(a, b, "still").WaitAsync(Patience));
    }

    private static async Task<(DialStatus, string)> AskNewAsync(TestNode from, TestNode to)
    {
        using TestEndpoint endpoint = TestEndpoint.Of(to);
        return await endpoint.AskAsync(from, to, "new");
    }
}
