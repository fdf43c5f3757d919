using System.Security.Cryptography;
using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class StreamTests
{
    private static readonly byte[] Hello = [.. "hello"u8];

    [Fact]
    public void KeepsHalfOpenStream()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open(Hello);
        client.Stream.Finish();
        pair.Driver.Until(() => server.Fin);

        // The client has finished; the server may still talk for as long as it likes.
        pair.Driver.For(5);
        Assert.Equal(0, client.Closed + server.Closed);
        server.Send(QuicPair.RandomBytes(100_000), finish: true);
        pair.Driver.Until(() => client.Fin && client.Closed == 1 && server.Closed == 1);
        Assert.Equal(100_000, client.Received);
        Assert.Equal(SHA256.HashData(QuicPair.RandomBytes(100_000)), client.Hash);
    }

    [Fact]
    public void FinAloneArrives()
    {
        using QuicPair pair = new QuicPair().Connect();
        RecordingStream client = new(pair.Client.OpenStream()!);
        client.Stream.Finish();
        pair.Driver.Until(() => pair.ServerHandler.Streams.Count == 1 && pair.ServerHandler.Streams[0].Fin);
        Assert.Equal(0, pair.ServerHandler.Streams[0].Received);
        Assert.Equal(0, client.Stream.SendRoom);
    }

    [Fact]
    public void EitherSideOpensStreams()
    {
        using QuicPair pair = new QuicPair().Connect();
        RecordingStream server = new(pair.Server.OpenStream()!);
        server.Send(Hello, finish: true);
        pair.Driver.Until(() => pair.ClientHandler.Streams.Count == 1 && pair.ClientHandler.Streams[0].Fin);
        Assert.Equal(1, server.Stream.Id);
        Assert.Equal(5, pair.ClientHandler.Streams[0].Received);
    }

    [Fact]
    public void ResetReachesThePeer()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open(Hello);
        client.Stream.Reset(1);
        pair.Driver.Until(() => server.ResetCode == 1);
        Assert.Equal(0, client.Stream.SendRoom);
        Assert.False(server.Fin);

        // The other direction still works.
        server.Send(Hello, finish: true);
        pair.Driver.Until(() => client.Fin && client.Closed == 1 && server.Closed == 1);
    }

    [Fact]
    public void StopSendingReachesAWritingPeer()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open(Hello);
        client.Send(QuicPair.RandomBytes(20_000_000), finish: true);
        server.Consumes = false;
        pair.Driver.Until(() => server.Received > 100_000);
        server.Stream.StopSending(1);
        pair.Driver.Until(() => client.Stopped);
        server.Stream.Finish();
        pair.Driver.Until(() => client.Closed == 1 && server.Closed == 1);
    }

    [Fact]
    public void AStreamNobodyTakesIsReset()
    {
        using QuicPair pair = new QuicPair().Connect();
        pair.ServerHandler.RefusesStreams = true;
        RecordingStream client = new(pair.Client.OpenStream()!);
        client.Send(Hello, finish: false);
        pair.Driver.Until(() => client.ResetCode is not null);
        pair.Driver.Until(() => client.Closed == 1);
    }

    [Fact]
    public void AReaderThatDoesNotConsumeStopsTheWriterAtBoundedMemory()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { StreamWindow = 1 << 20, MaxSendRing = 1 << 20 });
        pair.ToServer.Delay = pair.ToClient.Delay = 1_000_000;
        pair.Connect();
        byte[] data = QuicPair.RandomBytes(8_000_000);
        (RecordingStream client, RecordingStream server) = pair.Open();
        server.Consumes = false;
        client.Send(data, finish: true);
        pair.Driver.For(20);
        Assert.InRange(server.Received, 1_000_000, 1 << 20);
        Assert.InRange(client.Stream.SendBacklog, 500_000, 1 << 20);
        Assert.InRange(pair.ClientEndpoint.Chunks.InUse, 500_000, 1_300_000);
        Assert.InRange(client.Stream.SendRoom, 0, 65_535);

        server.Consumes = true;
        server.Stream.Consume((int)server.Received);
        pair.Driver.Until(() => server.Fin);
        Assert.Equal(SHA256.HashData(data), server.Hash);
        pair.Driver.Until(() => pair.ClientEndpoint.Chunks.InUse == 0);
    }

    [Fact]
    public void ReadersThatStopDoNotHoldOthersBack()
    {
        using QuicPair pair = new QuicPair().Connect();
        List<RecordingStream> stopped = [];
        for (int i = 0; i < 40; i++)
        {
            // Each reads until its window has grown, then stops with the rest on its way.
            (RecordingStream slow, RecordingStream slowServer) = pair.Open(Hello);
            slow.Send(QuicPair.RandomBytes(6_000_000), finish: true);
            pair.Driver.Until(() => slowServer.Received > 2_000_000);
            slowServer.Consumes = false;
            stopped.Add(slowServer);
        }

        pair.Driver.For(5);
        Assert.True(stopped.Count(reader => !reader.Fin) > 30);
        Assert.InRange(stopped.Sum(reader => reader.Received), 100_000_000, 250_000_000);
        (RecordingStream fast, RecordingStream fastServer) = pair.Open(Hello);
        fast.Send(QuicPair.RandomBytes(3_000_000), finish: true);
        pair.Driver.Until(() => fastServer.Fin, 10);
    }

    [Theory]
    [InlineData(11, 0.05, 0.05)]
    [InlineData(12, 0.01, 0.3)]
    public void SixteenMegabytesArriveIntactOverLossAndReordering(int seed, double loss, double reordering)
    {
        using QuicPair pair = new(seed);
        pair.Connect();
        pair.ToServer.Loss = pair.ToClient.Loss = loss;
        pair.ToServer.Reordering = pair.ToClient.Reordering = reordering;
        pair.ToServer.Duplication = 0.02;
        byte[] data = QuicPair.RandomBytes(16_000_000, seed);
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(data, finish: true);
        pair.Driver.Until(() => server.Fin, 300, "the last byte");
        Assert.Equal(SHA256.HashData(data), server.Hash);
        Assert.Equal(16_000_000, server.Received);
        pair.Driver.Until(() => client.Stream.SendBacklog == 0);
        Assert.Equal(0, pair.ClientEndpoint.Chunks.InUse);
    }

    [Fact]
    public void BothDirectionsAtOnce()
    {
        using QuicPair pair = new(5);
        pair.ToServer.Loss = pair.ToClient.Loss = 0.01;
        pair.Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        client.Send(QuicPair.RandomBytes(3_000_000, 1), finish: true);
        server.Send(QuicPair.RandomBytes(4_000_000, 2), finish: true);
        pair.Driver.Until(() => client.Closed == 1 && server.Closed == 1, 120);
        Assert.Equal(SHA256.HashData(QuicPair.RandomBytes(3_000_000, 1)), server.Hash);
        Assert.Equal(SHA256.HashData(QuicPair.RandomBytes(4_000_000, 2)), client.Hash);
    }

    [Fact]
    public void ManyStreamsAtOnceShareThePackets()
    {
        using QuicPair pair = new QuicPair().Connect();
        pair.ServerHandler.OnStream = s => s.EchoesAndFinishes = true;
        long before = pair.ToServer.Sent;
        RecordingStream[] streams = [.. Enumerable.Range(0, 500).Select(_ => new RecordingStream(pair.Client.OpenStream()!))];
        foreach (RecordingStream stream in streams)
        {
            stream.Send(QuicPair.RandomBytes(50, (int)stream.Stream.Id), finish: true);
        }

        pair.Driver.Until(() => streams.All(s => s.Closed == 1), 20);
        Assert.All(streams, s => Assert.Equal(SHA256.HashData(QuicPair.RandomBytes(50, (int)s.Stream.Id)), s.Hash));

        // 500 requests of 50 bytes fit some 20 packets; acknowledgements come on top.
        Assert.InRange(pair.ToServer.Sent - before, 15, 150);
    }

    [Fact]
    public void StreamsOneAfterAnotherNeverRunOut()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { MaxStreams = 16 });
        pair.ToServer.Delay = pair.ToClient.Delay = 100_000;
        pair.Connect();
        pair.ServerHandler.OnStream = s => s.EchoesAndFinishes = true;
        for (int i = 0; i < 1000; i++)
        {
            QuicStream? raw = null;
            pair.Driver.Until(() => (raw = pair.Client.OpenStream()) is not null, 5, $"stream {i}");
            RecordingStream stream = new(raw!);
            stream.Send(Hello, finish: true);
            pair.Driver.Until(() => stream.Fin, 5, $"answer {i}");
        }

        Assert.Equal(1000, pair.ServerHandler.Streams.Count);
        pair.Driver.Until(() => pair.ClientEndpoint.Chunks.InUse == 0);
    }

    [Fact]
    public void SaysWhenStreamsAreAvailableAgain()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { MaxStreams = 4 });
        pair.Connect();
        pair.ServerHandler.OnStream = s => s.EchoesAndFinishes = true;
        RecordingStream[] streams = [.. Enumerable.Range(0, 4).Select(_ => new RecordingStream(pair.Client.OpenStream()!))];
        Assert.Null(pair.Client.OpenStream());
        Assert.Equal(0, pair.ClientHandler.StreamsAvailable);
        foreach (RecordingStream stream in streams)
        {
            stream.Send(Hello, finish: true);
        }

        pair.Driver.Until(() => pair.ClientHandler.StreamsAvailable == 1);
        Assert.NotNull(pair.Client.OpenStream());
    }

    [Fact]
    public void ConsumingAfterTheStreamClosedKeepsTheConnectionWindowOpen()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { ConnectionWindow = 1 << 20, StreamWindow = 1 << 20 });
        pair.Connect();
        for (int i = 0; i < 10; i++)
        {
            (RecordingStream client, RecordingStream server) = pair.Open();
            server.Consumes = false;
            server.Stream.Finish();
            client.Send(QuicPair.RandomBytes(900_000), finish: true);
            pair.Driver.Until(() => server.Closed == 1, 20, $"stream {i}");
            server.Stream.Consume(900_000);
            server.Stream.Consume(900_000);
        }
    }

    [Fact]
    public void DataOfAResetStreamDoesNotLeakTheConnectionWindow()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { ConnectionWindow = 1 << 20, StreamWindow = 1 << 20 });
        pair.Connect();
        for (int i = 0; i < 10; i++)
        {
            (RecordingStream client, RecordingStream server) = pair.Open(Hello);
            client.Send(QuicPair.RandomBytes(900_000), finish: true);
            pair.Driver.Until(() => server.Received > 100_000, 20, $"stream {i}");
            server.Stream.StopSending(1);
            server.Stream.Reset(1);
            pair.Driver.Until(() => server.Closed == 1 && client.Closed == 1, 20, $"end of stream {i}");
        }
    }

    [Fact]
    public void SendSpanIsTheBufferItself()
    {
        using QuicPair pair = new QuicPair().Connect();
        (RecordingStream client, RecordingStream server) = pair.Open(Hello);
        server.KeepBytes = true;
        Span<byte> span = client.Stream.GetSendSpan();
        Assert.True(span.Length >= 1024);
        "direct"u8.CopyTo(span);
        client.Stream.CommitSend(6);
        pair.Driver.Until(() => server.Received == 11);
        Assert.Equal("direct"u8.ToArray(), server.Bytes);

        Assert.False(client.Stream.GetSendSpan().IsEmpty);
        client.Stream.CommitSend(0);
        pair.Driver.Until(() => pair.ClientEndpoint.Chunks.InUse == 0);
    }

    [Fact]
    public void ALongRoundTripGrowsTheSendBuffer()
    {
        using QuicPair pair = new();
        pair.ToServer.Delay = pair.ToClient.Delay = 50_000_000;
        pair.ToServer.Rate = 25_000_000;
        pair.Connect();
        (RecordingStream client, RecordingStream server) = pair.Open();
        int largest = 0;
        client.Send(QuicPair.RandomBytes(60_000_000), finish: true);
        pair.Driver.Until(() =>
        {
            largest = Math.Max(largest, client.Stream.SendBacklog);
            return server.Fin;
        }, 20);
        Assert.InRange(largest, 2_500_000, 8 << 20);
    }

    [Fact]
    public void OneConnectionsHandlerThatThrowsEndsThatConnectionOnly()
    {
        using QuicPair pair = new QuicPair().Connect();
        RecordingHandler other = new();
        QuicConnection second = pair.ClientEndpoint.Connect(pair.ToServer, other);
        RecordingHandler first = pair.ServerHandler;
        pair.Driver.Until(() => other.Connected == 1 || first.Connected == 2);
        pair.ServerHandler.OnStream = _ => throw new InvalidOperationException("a fault of the owner");
        RecordingStream stream = new(pair.Client.OpenStream()!);
        stream.Send(Hello, finish: true);
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Error, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(1, stream.Closed);
        Assert.True(second.IsConnected);
    }
}
