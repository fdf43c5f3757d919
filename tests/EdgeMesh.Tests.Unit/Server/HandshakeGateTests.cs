using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;

using EdgeMesh.Server.Http;

using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class HandshakeGateTests : IDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly HandshakeGate gate;
    private readonly ConcurrentQueue<Client> served = new();

    public HandshakeGateTests() => gate = new HandshakeGate(2, time);

    [Fact]
    public async Task WorksOnAFewAtATimeInTheirOrder()
    {
        Client[] all = await InOrderAsync(5);
        Assert.Equal(all[..2], served);
        all[1].Finish();
        await Eventually.HoldsAsync(() => served.Count == 3);
        all[0].Finish();
        await Eventually.HoldsAsync(() => served.Count == 4);
        all[2].Finish();
        await Eventually.HoldsAsync(() => served.Count == 5);
        Assert.Equal(all, served);
    }

    [Fact]
    public async Task ASilentClientTakesNobodysPlaceAndIsLetGo()
    {
        Client[] silent = [.. Enumerable.Range(0, 10).Select(_ => Connect())];
        Client speaking = Speaking();
        await Eventually.HoldsAsync(() => served.Contains(speaking));
        time.Advance(HandshakeGate.Wait);
        foreach (Client client in silent)
        {
            await client.Serving;
            await Eventually.HoldsAsync(() => client.IsAborted);
        }

        Assert.Single(served);
    }

    [Fact]
    public async Task AClientThatStallsHasItsPlaceForATurn()
    {
        Client third = (await InOrderAsync(3))[2];
        Assert.Equal(2, served.Count);
        Assert.DoesNotContain(third, served);
        time.Advance(HandshakeGate.Turn);
        await Eventually.HoldsAsync(() => served.Contains(third));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhoHasGivenUpIsPassedOver(bool isReset)
    {
        Client[] all = await InOrderAsync(4);
        (Client first, Client gone, Client patient) = (all[0], all[2], all[3]);
        await gone.HangUpAsync(isReset);
        first.Finish();
        await Eventually.HoldsAsync(() => served.Contains(patient));
        await gone.Serving;
        Assert.DoesNotContain(gone, served);
        Assert.Equal(1, gate.Abandoned);
    }

    [Fact]
    public async Task TheFirstBytesAreLeftForTls()
    {
        Client client = Speaking();
        await Eventually.HoldsAsync(() => served.Count == 1);
        ReadResult first = await client.Connection.Transport.Input.ReadAsync();
        Assert.Equal(3, first.Buffer.Length);
    }

    public void Dispose() => gate.Dispose();

    private Client Connect()
    {
        Client client = new();
        ConnectionDelegate after = HandshakeGate.Leave(_ => client.Session);
        client.Serving = gate.Enter(async connection =>
        {
            served.Enqueue(client);
            await client.Handshake;
            await after(connection);
        })(client.Connection);
        return client;
    }

    /// <summary>On a thread without a synchronization context: each is where it waits before the next one comes.</summary>
    private Task<Client[]> InOrderAsync(int count) => Task.Run(() => Enumerable.Range(0, count).Select(_ => Speaking()).ToArray());

    private Client Speaking()
    {
        Client client = Connect();
        client.Speak();
        return client;
    }

    private sealed class Client
    {
        // What the client says has been taken when Speak returns: the order of the clients is that of the calls.
        private readonly Pipe toServer = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        private readonly TaskCompletionSource handshake = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource session = new();

        public Client()
        {
            Connection = new DefaultConnectionContext("test") { Transport = new Duplex(toServer.Reader, new Pipe().Writer) };
            Connection.ConnectionClosed.Register(() => IsAborted = true);
        }

        public DefaultConnectionContext Connection { get; }

        public bool IsAborted { get; private set; }

        public Task Handshake => handshake.Task;

        /// <summary>Never ends: a place must be free again when the handshake is over, not when the session is.</summary>
        public Task Session => session.Task;

        public Task Serving { get; set; } = Task.CompletedTask;

        public void Speak()
        {
            toServer.Writer.Write<byte>([1, 2, 3]);
            toServer.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
        }

        public void Finish() => handshake.SetResult();

        public async Task HangUpAsync(bool isReset) => await toServer.Writer.CompleteAsync(isReset ? new ConnectionResetException("reset") : null);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
