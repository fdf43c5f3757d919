using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class ResumptionTests
{
    [Fact]
    public void APeerThatComesBackNeedsOneRoundTrip()
    {
        using QuicPair pair = WithTicket();
        pair.ToServer.Delay = pair.ToClient.Delay = 50_000_000;
        pair.ComeBack();
        long start = pair.Driver.Now;
        pair.Driver.Until(() => pair.ClientHandler.Connected == 1, 30, "the client");
        Assert.InRange((pair.Driver.Now - start) / 1e6, 100, 120);
        pair.Driver.Until(() => pair.ServerHandler.Connected == 1, 30, "the server");
        Assert.True(pair.Client.IsResumed && pair.Server.IsResumed);
        (_, RecordingStream server) = pair.Open([.. "hello"u8]);
        Assert.Equal(5, server.Received);
    }

    [Fact]
    public void BothSidesJudgeTheCertificateAgain()
    {
        using QuicPair pair = WithTicket();
        pair.ComeBack();
        pair.Driver.Until(() => pair.ClientHandler.Connected == 1 && pair.ServerHandler.Connected == 1, 30, "the handshake");
        Assert.Equal(("node-b", "node-a"), (pair.ClientHandler.PeerName, pair.ServerHandler.PeerName));
        Assert.Equal((2, 2), (pair.ClientHandler.Judged, pair.ServerHandler.Judged));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void ACertificateThatIsNotGoodAnyMoreIsRefused(bool clientAccepts, bool serverAccepts)
    {
        using QuicPair pair = WithTicket();
        (pair.ClientHandler.Accepts, pair.ServerHandler.Accepts) = (clientAccepts, serverAccepts);
        pair.ComeBack();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1, 30, "the client's end");
        pair.Driver.Until(() => pair.ServerHandler.Closes.Count == 1 || pair.ServerHandler.Connected == 0, 30, "the server's end");
        Assert.Empty(pair.ServerHandler.Streams);
        Assert.Equal(0, serverAccepts ? 0 : pair.ServerHandler.Connected);
        Assert.Equal(0, clientAccepts ? 0 : pair.ClientHandler.Connected);
    }

    [Fact]
    public void ARestartedServerMakesAFullHandshake()
    {
        using QuicPair pair = WithTicket();
        byte[] ticket = pair.ClientHandler.Ticket;
        pair.RestartServer();
        pair.Client.Close(0, "done");
        pair.ClientHandler.ForgetAll();
        pair.Reconnect(ticket);
        pair.Driver.Until(() => pair.ClientHandler.Connected == 1 && pair.ServerHandler.Connected == 1, 30, "the handshake");
        Assert.False(pair.Client.IsResumed || pair.Server.IsResumed);
    }

    [Fact]
    public void WhatIsNoTicketCostsNothing()
    {
        using QuicPair pair = WithTicket();
        byte[] spoilt = [.. pair.ClientHandler.Ticket];
        foreach (int at in (int[])[0, spoilt.Length / 2, spoilt.Length - 1])
        {
            spoilt[at] ^= 0x55;
            pair.ComeBack(spoilt);
            pair.Driver.Until(() => pair.ClientHandler.Connected == 1 && pair.ServerHandler.Connected == 1, 30, "the handshake");
        }

        pair.ComeBack(QuicPair.RandomBytes(3000));
        pair.Driver.Until(() => pair.ClientHandler.Connected == 1 && pair.ServerHandler.Connected == 1, 30, "the handshake");
        Assert.False(pair.Client.IsResumed);
    }

    [Fact]
    public void EveryConnectionBringsAFreshTicket()
    {
        using QuicPair pair = WithTicket();
        byte[] first = pair.ClientHandler.Ticket;
        pair.ComeBack();
        pair.Driver.Until(() => !ReferenceEquals(first, pair.ClientHandler.Ticket), 30, "the second ticket");
        Assert.NotEqual(first, pair.ClientHandler.Ticket);
        Assert.InRange(first.Length, 200, 8192);
    }

    private static QuicPair WithTicket()
    {
        QuicPair pair = new QuicPair().Connect();
        pair.Driver.Until(() => pair.ClientHandler.Ticket.Length > 0, 30, "the ticket");
        return pair;
    }
}
