using System.Security.Cryptography;
using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class ConnectionTests
{
    private static readonly byte[] Hello = [.. "hello"u8];

    [Fact]
    public void DatagramsKeepBoundariesAndOrder()
    {
        using QuicPair pair = new QuicPair().Connect();
        byte[][] payloads = [.. Enumerable.Range(0, 300).Select(i => QuicPair.RandomBytes(i * 4, i))];
        Assert.All(payloads, p => Assert.True(pair.Client.TrySendDatagram(p)));
        pair.Driver.Until(() => pair.ServerHandler.Datagrams.Count == 300);
        Assert.All(Enumerable.Range(0, 300), i => Assert.Equal(payloads[i], pair.ServerHandler.Datagrams[i]));
        Assert.True(pair.Server.TrySendDatagram(Hello));
        pair.Driver.Until(() => pair.ClientHandler.Datagrams.Count == 1);
    }

    [Fact]
    public void TheLargestDatagramFitsAndALargerOneIsRefused()
    {
        using QuicPair pair = new();
        pair.ToServer.MaxDatagramSize = 1200;
        pair.Connect();
        Assert.Equal(1168, pair.Client.MaxDatagramPayload);
        Assert.True(pair.Client.TrySendDatagram(new byte[1168]));
        Assert.False(pair.Client.TrySendDatagram(new byte[1169]));
        pair.Driver.Until(() => pair.ServerHandler.Datagrams.Count == 1);
    }

    [Fact]
    public void DatagramsQueuedForALargerPathAreDroppedNotStuck()
    {
        using QuicPair pair = new QuicPair().Connect();
        Assert.True(pair.Client.TrySendDatagram(new byte[1360]));
        Assert.True(pair.Client.TrySendDatagram(Hello));
        pair.ToServer.MaxDatagramSize = 1200;
        pair.Driver.Until(() => pair.ServerHandler.Datagrams.Count == 1);
        Assert.Equal(Hello, pair.ServerHandler.Datagrams[0]);
        (_, RecordingStream server) = pair.Open(Hello);
        Assert.Equal(5, server.Received);
    }

    [Fact]
    public void TheDatagramQueueIsBoundedAndDrains()
    {
        using QuicPair pair = new QuicPair().Connect();
        pair.ToServer.IsFull = true;
        int accepted = 0;
        while (pair.Client.TrySendDatagram(new byte[1000]))
        {
            accepted++;
        }

        Assert.InRange(accepted, 900, 1100);
        pair.ToServer.IsFull = false;
        pair.Client.OutputWritable();
        pair.Driver.Until(() => pair.ServerHandler.Datagrams.Count == accepted);
    }

    [Fact]
    public void DatagramsAndStreamsShareTheConnection()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(QuicPair.RandomBytes(5_000_000), finish: true);
        int sent = 0;
        while (!server.Fin)
        {
            sent += pair.Client.TrySendDatagram(new byte[200]) ? 1 : 0;
            pair.Driver.For(0.005);
        }

        pair.Driver.For(1);
        Assert.True(sent > 5);
        Assert.Equal(sent, pair.ServerHandler.Datagrams.Count);
        Assert.Equal(SHA256.HashData(QuicPair.RandomBytes(5_000_000)), server.Hash);
    }

    [Fact]
    public void FollowsThePathsDatagramSizeInTheMiddleOfATransfer()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { MaxDatagramSize = 16_000 });
        pair.ToServer.MaxDatagramSize = 16_000;
        pair.Connect();
        byte[] data = QuicPair.RandomBytes(12_000_000);
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(data, finish: true);
        pair.Driver.Until(() => server.Received > 2_000_000);
        Assert.Equal(16_000, pair.ToServer.LargestSent);

        // Down, and what was in flight with the old size is lost.
        pair.ToServer.MaxDatagramSize = pair.ToServer.Mtu = 1200;
        pair.Driver.Until(() => server.Received > 6_000_000);
        pair.ToServer.MaxDatagramSize = pair.ToServer.Mtu = 8900;
        pair.Driver.Until(() => server.Fin, 120);
        Assert.Equal(SHA256.HashData(data), server.Hash);
    }

    [Fact]
    public void TrainsLeaveRoomForThePathsHeader()
    {
        using QuicPair pair = new();
        pair.ToServer.HeaderRoom = 18;
        pair.Connect();
        byte[] data = QuicPair.RandomBytes(3_000_000);
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(data, finish: true);
        pair.Driver.Until(() => server.Fin);
        Assert.Equal(SHA256.HashData(data), server.Hash);
        Assert.InRange(pair.ToServer.LongestTrain, 10, 64);
    }

    [Fact]
    public void MovesToAnotherOutputWithoutAnError()
    {
        using QuicPair pair = new QuicPair().Connect();
        SimulatedPath other = new(pair.Driver, new Random(3))
        {
            To = pair.ServerEndpoint,
            Back = pair.ToClient,
            HeaderRoom = 18,
            MaxDatagramSize = 1200,
            Delay = 40_000_000,
        };
        byte[] data = QuicPair.RandomBytes(8_000_000);
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(data, finish: true);
        pair.Driver.Until(() => server.Received > 1_000_000);
        pair.Client.Output = other;
        pair.ToServer.IsBlack = true;
        pair.Driver.Until(() => server.Fin, 120);
        Assert.Equal(SHA256.HashData(data), server.Hash);
        Assert.True(other.Sent > 1000);
    }

    [Fact]
    public void AFullOutputLosesNothing()
    {
        using QuicPair pair = new QuicPair().Connect();
        byte[] data = QuicPair.RandomBytes(3_000_000);
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(data, finish: true);
        for (int i = 0; i < 20; i++)
        {
            pair.ToServer.IsFull = true;
            pair.Driver.For(0.02);
            pair.ToServer.IsFull = false;
            pair.Client.OutputWritable();
            pair.Driver.For(0.01);
        }

        pair.Driver.Until(() => server.Fin);
        Assert.Equal(SHA256.HashData(data), server.Hash);
        Assert.True(pair.Client.Stats.PacketsOut < 3000, "retransmissions would show that trains were lost");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AKickEndsABlackOutAtOnce(bool kick)
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(QuicPair.RandomBytes(40_000_000), finish: true);
        pair.Driver.Until(() => server.Received > 1_000_000);
        pair.ToServer.IsBlack = pair.ToClient.IsBlack = true;
        pair.Driver.For(6);
        long received = server.Received;
        long back = pair.Driver.Now;
        pair.ToServer.IsBlack = pair.ToClient.IsBlack = false;
        if (kick)
        {
            pair.Client.Kick();
        }

        pair.Driver.Until(() => server.Received > received, 30);
        double milliseconds = (pair.Driver.Now - back) / 1e6;
        if (kick)
        {
            Assert.InRange(milliseconds, 0, 100);
        }
        else
        {
            Assert.True(milliseconds > 100, $"{milliseconds} ms: then the kick proves nothing");
        }
    }

    [Fact]
    public void AKickOnAnIdleConnectionIsHarmless()
    {
        using QuicPair pair = new QuicPair().Connect();
        pair.Driver.For(3);
        pair.Client.Kick();
        pair.Driver.For(3);
        Assert.True(pair.Client.IsConnected);
    }

    [Fact]
    public void SilenceEndsTheConnectionAfterTheIdleTime()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, _) = pair.Open(Hello);
        pair.ToServer.IsBlack = pair.ToClient.IsBlack = true;
        long start = pair.Driver.Now;
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 && pair.ServerHandler.Closes.Count == 1, 60);
        Assert.Equal(QuicCloseKind.Idle, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(QuicCloseKind.Idle, pair.ServerHandler.Closes[0].Kind);
        Assert.InRange((pair.Driver.Now - start) / 1e9, 25, 45);
        Assert.Equal(1, client.Closed);
        Assert.Equal(0, pair.ClientEndpoint.ConnectionCount + pair.ServerEndpoint.ConnectionCount);
    }

    [Fact]
    public void KeepsAliveWithFewPacketsAndFewTurns()
    {
        using QuicPair pair = new QuicPair().Connect();
        pair.Driver.For(5);
        long packets = pair.ToServer.Sent + pair.ToClient.Sent;
        long turns = pair.Driver.Turns;
        pair.Driver.For(600);
        Assert.True(pair.Client.IsConnected && pair.Server.IsConnected);
        Assert.InRange(pair.ToServer.Sent + pair.ToClient.Sent - packets, 60, 600);
        Assert.InRange(pair.Driver.Turns - turns, 60, 1500);
    }

    [Fact]
    public void APeerThatRestartedSaysSo()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, _) = pair.Open(Hello);
        pair.RestartServer();
        client.Send(Hello, finish: false);
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1, 3);
        Assert.Equal(QuicCloseKind.Reset, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(1, client.Closed);
    }

    [Fact]
    public void TellsThePeerWhyItCloses()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open(Hello);
        pair.Client.Close(42, "going");
        Assert.True(pair.Client.IsClosed);
        Assert.Empty(pair.ClientHandler.Closes);
        Assert.Null(pair.Client.OpenStream());
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 && pair.ServerHandler.Closes.Count == 1);
        Assert.Equal(new QuicCloseReason(QuicCloseKind.Local, 42, "going"), pair.ClientHandler.Closes[0]);
        Assert.Equal(new QuicCloseReason(QuicCloseKind.Peer, 42, "going"), pair.ServerHandler.Closes[0]);
        Assert.Equal(2, client.Closed + server.Closed);
        pair.Driver.For(5);
        Assert.Single(pair.ClientHandler.Closes);
    }

    [Fact]
    public void AnswersLatePacketsWithTheCloseAgain()
    {
        using QuicPair pair = new QuicPair().Connect();
        (_, RecordingStream server) = pair.Open(Hello);

        // The close is lost; the peer's next packet draws it out again.
        pair.ToServer.Loss = 1;
        pair.Client.Close(7, "lost at first");
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1);
        pair.ToServer.Loss = 0;
        server.Send(Hello, finish: true);
        pair.Driver.Until(() => pair.ServerHandler.Closes.Count == 1, 5);
        Assert.Equal(new QuicCloseReason(QuicCloseKind.Peer, 7, "lost at first"), pair.ServerHandler.Closes[0]);
    }

    [Fact]
    public void ClosingTwiceAndInsideAHandlerIsAllowed()
    {
        using QuicPair pair = new QuicPair().Connect();
        pair.ServerHandler.OnStream = s =>
        {
            s.Stream.Connection.Close(3, "from inside");
            s.Stream.Connection.Close(4, "again");
        };
        RecordingStream client = new(pair.Client.OpenStream()!);
        client.Send(QuicPair.RandomBytes(100_000), finish: true);
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1);
        Assert.Equal(3u, pair.ClientHandler.Closes[0].Code);
        Assert.Single(pair.ServerHandler.Closes);
    }

    [Fact]
    public void KeysChangeUnderATransfer()
    {
        using QuicPair pair = new QuicPair().Connect();
        byte[] data = QuicPair.RandomBytes(6_000_000);
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(data, finish: true);
        int updates = 0;
        pair.ToServer.Rate = 3_000_000;
        long next = 500_000;
        pair.Driver.Until(() =>
        {
            // ngtcp2 refuses while the last one is young: then it is asked again.
            if (server.Received > next && pair.Client.InitiateKeyUpdate() == 0)
            {
                next += 500_000;
                updates++;
            }

            return server.Fin;
        });
        Assert.True(updates >= 3, $"{updates} updates");
        Assert.Equal(SHA256.HashData(data), server.Hash);
    }

    [Fact]
    public void ForeignBytesChangeNothing()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        byte[] data = QuicPair.RandomBytes(2_000_000);
        Random random = new(9);
        List<byte[]> seen = [];
        pair.ToServer.Tap = d =>
        {
            if (seen.Count < 200)
            {
                seen.Add(d);
            }
        };
        client.Send(data, finish: true);
        for (int i = 0; i < 3000; i++)
        {
            byte[] garbage = new byte[random.Next(0, 1500)];
            random.NextBytes(garbage);
            if (i % 3 == 0 && seen.Count > 0)
            {
                // Nearly right: a packet of ours with one bit wrong.
                garbage = [.. seen[random.Next(seen.Count)]];
                garbage[random.Next(garbage.Length)] ^= (byte)(1 << random.Next(8));
            }

            pair.ServerEndpoint.Receive(garbage, Math.Max(garbage.Length, 1), pair.ToClient);
            if (i % 100 == 0)
            {
                pair.Driver.For(0.02);
            }
        }

        pair.Driver.Until(() => server.Fin);
        Assert.Equal(SHA256.HashData(data), server.Hash);
        Assert.Empty(pair.ServerHandler.Closes);
        Assert.Empty(pair.ClientHandler.Closes);
        Assert.Equal(1, pair.ServerEndpoint.ConnectionCount);
    }

    [Fact]
    public void StatelessResetsAreShorterThanWhatTheyAnswerAndLimited()
    {
        using QuicPair pair = new QuicPair().Connect();
        long before = pair.ToClient.Sent;
        byte[] packet = new byte[60];
        for (int i = 0; i < 1000; i++)
        {
            Random.Shared.NextBytes(packet);
            packet[0] = 0x40;
            pair.ServerEndpoint.Receive(packet, packet.Length, pair.ToClient);
        }

        Assert.Equal(200, pair.ToClient.Sent - before);
        Assert.True(pair.ToClient.LargestSent > 1000);
        pair.ServerEndpoint.Receive(packet.AsSpan(0, 21), 21, pair.ToClient);
        Assert.Equal(200, pair.ToClient.Sent - before);
        pair.Driver.For(1);
        Assert.True(pair.Client.IsConnected);
    }

    [Fact]
    public void ReceivesWholeTrains()
    {
        using QuicPair pair = new QuicPair().Connect();
        List<byte[]> packets = [];
        pair.ToServer.Tap = packets.Add;
        pair.ToServer.IsBlack = true;
        for (int i = 0; i < 5; i++)
        {
            pair.Client.TrySendDatagram(new byte[1000 - (i == 4 ? 100 : 0)]);
            pair.Driver.For(0.0001);
        }

        // As GRO would hand them over: equal ones together, the last may be shorter.
        byte[][] equal = [.. packets.Where(p => p.Length == packets[0].Length), packets[^1]];
        Assert.Equal(5, equal.Length);
        byte[] train = [.. equal.SelectMany(p => p)];
        Assert.Same(pair.Server, pair.ServerEndpoint.Receive(train, equal[0].Length, pair.ToClient));
        Assert.Equal(5, pair.ServerHandler.Datagrams.Count);
    }

    [Fact]
    public void DisposingTheEndpointTellsThePeers()
    {
        QuicPair pair = new QuicPair().Connect();
        pair.ServerEndpoint.Dispose();
        Assert.Equal(QuicCloseKind.Local, pair.ServerHandler.Closes.Single().Kind);
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Peer, pair.ClientHandler.Closes[0].Kind);
        pair.Dispose();
    }

    [Fact]
    public void SmallRequestsDoNotPinTheWindow()
    {
        // Gotcha 11 of the notes: 25 us round trips, one small request after the other, then bulk.
        using QuicPair pair = new();
        pair.ToServer.Delay = pair.ToClient.Delay = 12_500;
        pair.Connect();
        pair.ServerHandler.OnStream = s => s.EchoesAndFinishes = true;
        for (int i = 0; i < 2000; i++)
        {
            RecordingStream request = new(pair.Client.OpenStream()!);
            request.Send(Hello, finish: true);
            pair.Driver.Until(() => request.Fin);
        }

        pair.ServerHandler.OnStream = null;
        pair.ToServer.Delay = pair.ToClient.Delay = 150_000;
        pair.ToServer.Rate = 1_250_000_000;
        (RecordingStream client, RecordingStream server) = pair.Open();
        long largest = 0;
        client.Send(QuicPair.RandomBytes(100_000_000), finish: true);
        long start = pair.Driver.Now;
        pair.Driver.Until(() =>
        {
            largest = Math.Max(largest, pair.Client.Stats.CongestionWindow);
            return server.Fin;
        });
        double gigabits = 0.8 / ((pair.Driver.Now - start) / 1e9);
        Assert.True(largest > 250_000 && gigabits > 2.5, $"window {largest}, {gigabits:F2} Gbit/s");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.01)]
    public void FillsALongPath(double loss)
    {
        // 20 ms, 200 Mbit/s.
        using QuicPair pair = new(21);
        pair.ToServer.Rate = 25_000_000;
        pair.ToServer.Loss = loss;
        pair.Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(QuicPair.RandomBytes(50_000_000), finish: true);
        long start = pair.Driver.Now;
        pair.Driver.Until(() => server.Fin);
        double megabits = 400 / ((pair.Driver.Now - start) / 1e9);
        Assert.InRange(megabits, 140, 200);
    }

    [Fact]
    public void ACoarseClockDoesNotFloodALan()
    {
        // 1 Gbit/s, 0.2 ms: what the grain adds to the window must stay a queue of a few milliseconds.
        using QuicPair pair = new();
        pair.ToServer.Delay = pair.ToClient.Delay = 100_000;
        pair.ToServer.Rate = 125_000_000;
        pair.Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(QuicPair.RandomBytes(100_000_000), finish: true);
        long start = pair.Driver.Now;
        long longest = 0;
        pair.Driver.Until(() =>
        {
            longest = server.Received > 20_000_000 ? Math.Max(longest, pair.ToServer.Queued) : 0;
            return server.Fin;
        });
        double megabits = 800 / ((pair.Driver.Now - start) / 1e9);
        Assert.InRange(megabits, 850, 1000);
        Assert.InRange(longest / 1e6, 0, 5);
        Assert.Equal(0, pair.ToServer.Overflowed);
    }
}
