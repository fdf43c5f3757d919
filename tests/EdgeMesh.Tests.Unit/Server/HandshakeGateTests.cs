using System.Buffers;
using System.IO.Pipelines;

using EdgeMesh.Server.Http;

using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class HandshakeGateTests : IDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly HandshakeGate gate;
    private readonly List<Client> clients = [];
    private readonly List<Client> served = [];

    public HandshakeGateTests() => gate = new HandshakeGate(2, time);

    [Fact]
    public async Task WorksOnAFewAtATimeInTheirOrder()
    {
        Client[] all = [.. Enumerable.Range(0, 5).Select(_ => Speaking())];
        await Eventually.HoldsAsync(() => served.Count == 2);
        all[0].Finish();
        await Eventually.HoldsAsync(() => served.Count == 3);
        all[1].Finish();
        all[2].Finish();
        await Eventually.HoldsAsync(() => served.Count == 5);
        Assert.Equal(all.Order(Comparer<Client>.Create((a, b) => clients.IndexOf(a) - clients.IndexOf(b))).Take(3), served.Take(3));
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
            Assert.True(client.IsAborted);
        }

        Assert.Single(served);
    }

    [Fact]
    public async Task AClientThatStallsHasItsPlaceForATurn()
    {
        Speaking();
        Speaking();
        Client third = Speaking();
        await Eventually.HoldsAsync(() => served.Count == 2);
        Assert.DoesNotContain(third, served);
        time.Advance(HandshakeGate.Turn);
        await Eventually.HoldsAsync(() => served.Contains(third));
    }

    [Fact]
    public async Task WhoHasGivenUpIsPassedOver()
    {
        Client first = Speaking();
        Speaking();
        await Eventually.HoldsAsync(() => served.Count == 2);
        Client gone = Speaking();
        Client patient = Speaking();
        await gone.HangUpAsync();
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
        clients.Add(client);
        ConnectionDelegate after = HandshakeGate.Leave(_ => client.Session);
        client.Serving = gate.Enter(async connection =>
        {
            lock (served)
            {
                served.Add(client);
            }

            await client.Handshake;
            await after(connection);
        })(client.Connection);
        return client;
    }

    private Client Speaking()
    {
        Client client = Connect();
        client.Speak();
        return client;
    }

    private sealed class Client
    {
        private readonly Pipe toServer = new();
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
            toServer.Writer.Write([1, 2, 3]);
            toServer.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
        }

        public void Finish() => handshake.SetResult();

        public async Task HangUpAsync() => await toServer.Writer.CompleteAsync();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
