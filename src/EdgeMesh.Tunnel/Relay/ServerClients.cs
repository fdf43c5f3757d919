using System.Text.Json;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// A client for every configured server and for the others of the mesh that these announce, each once: of two names of one server
/// the second waits until the first fails. What was announced is kept in <c>servers.json</c>: an agent that restarts while its configured server is away finds the
/// others. Any thread.
/// </summary>
internal sealed class ServerClients(string stateDirectory, Func<string, Task<RelayLink>> newLink, Action<RelayLink> dropLink, ILogger log)
{
    public const int MaxServers = 8;

    /// <summary>Configured servers go first: then it is known which of the kept ones they are.</summary>
    private static readonly TimeSpan HeadStart = TimeSpan.FromSeconds(3);

    /// <summary>How soon a server's other name is tried when the one in use fails.</summary>
    private static readonly TimeSpan TwinCheck = TimeSpan.FromSeconds(5);

    private readonly string path = Path.Combine(stateDirectory, "servers.json");

    // Guards entries, announced and their tasks.
    private readonly Lock gate = new();
    private readonly List<Entry> entries = [];
    private readonly List<Entry> twins = [];
    private readonly List<Task> ended = [];
    private string[] announced = [];
    private Func<RelayLink, ServerAddress, RelayClient>? newClient;
    private CancellationToken stop;

    /// <summary>Addresses of all servers that are in use now, the configured ones first.</summary>
    public IReadOnlyList<ServerAddress> Addresses
    {
        get
        {
            lock (gate)
            {
                return [.. entries.Select(entry => entry.Address)];
            }
        }
    }

    public async Task RunAsync(
        IReadOnlyList<ServerAddress> configured, IReadOnlyList<RelayLink> links, Func<RelayLink, ServerAddress, RelayClient> makeClient, CancellationToken stopping)
    {
        newClient = makeClient;
        stop = stopping;
        lock (gate)
        {
            announced = Read();
            for (int i = 0; i < configured.Count; i++)
            {
                Start(new Entry(configured[i], links[i], isConfigured: true, stop));
            }
        }

        await Task.Delay(HeadStart, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await UseAsync(announced).ConfigureAwait(false);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(TwinCheck, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ReviveAsync().ConfigureAwait(false);
        }

        Task[] running;
        lock (gate)
        {
            running = [.. ended, .. entries.Select(entry => entry.Running)];
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A server has said who it is and which servers there are.</summary>
    public void OnServers(RelayLink link, SignalMessage message)
    {
        bool isNew = false;
        lock (gate)
        {
            Entry? teller = entries.Find(entry => entry.Link == link);
            if (teller is null)
            {
                return;
            }

            teller.Id = message.Server ?? teller.Id;
            if (teller.Id is not null && entries.Find(entry => entry != teller && entry.Id == teller.Id) is { } twin)
            {
                (Entry stays, Entry goes) = teller.IsConfigured && !twin.IsConfigured ? (teller, twin) : (twin, teller);
                Drop(goes, $"it is the same as {stays.Address}");
                if (goes.IsConfigured)
                {
                    twins.Add(goes);
                }
            }

            if (message.Servers is { Length: > 0 } others)
            {
                isNew = !others.SequenceEqual(announced);
                announced = others;
            }
        }

        if (message.Servers is { Length: > 0 })
        {
            _ = UseAsync(message.Servers);
            if (isNew)
            {
                Write(message.Servers);
            }
        }
    }

    // All servers of the mesh: what was announced and is not among them has left it.
    private async Task UseAsync(string[] all)
    {
        List<(string Id, ServerAddress Address)> wanted = [.. all.Select(TryParse).OfType<(string, ServerAddress)>()];
        lock (gate)
        {
            foreach (Entry entry in entries.Where(e => !e.IsConfigured && all.Length > 0 && !wanted.Exists(w => w.Id == e.Id)).ToArray())
            {
                Drop(entry, "it is no longer one of the mesh's servers");
            }
        }

        foreach ((string id, ServerAddress address) in wanted)
        {
            bool isWanted;
            lock (gate)
            {
                isWanted = !stop.IsCancellationRequested && entries.Count < MaxServers && !IsKnown(id, address);
            }

            if (!isWanted)
            {
                continue;
            }

            RelayLink link = await newLink(address.Text).ConfigureAwait(false);
            lock (gate)
            {
                if (!stop.IsCancellationRequested && entries.Count < MaxServers && !IsKnown(id, address))
                {
                    TunnelLog.ServerAnnounced(log, address.Text);
                    Start(new Entry(address, link, isConfigured: false, stop) { Id = id });
                    continue;
                }
            }

            dropLink(link);
        }
    }

    // The operator gave a server two names: when the one in use leads nowhere, the other may.
    private async Task ReviveAsync()
    {
        Entry[] wanted;
        lock (gate)
        {
            wanted = [.. twins.Where(twin => !entries.Exists(entry => entry.Id == twin.Id && entry.Link.IsConnected))];
        }

        foreach (Entry twin in wanted)
        {
            RelayLink link = await newLink(twin.Address.Text).ConfigureAwait(false);
            lock (gate)
            {
                if (!stop.IsCancellationRequested && twins.Remove(twin))
                {
                    Start(new Entry(twin.Address, link, isConfigured: true, stop));
                    continue;
                }
            }

            dropLink(link);
        }
    }

    private bool IsKnown(string id, ServerAddress address) => entries.Exists(entry => entry.Id == id || entry.Address.Text == address.Text);

    private void Start(Entry entry)
    {
        RelayClient client = newClient!(entry.Link, entry.Address);
        entry.Running = Task.Run(() => client.RunAsync(entry.Stop.Token), CancellationToken.None);
        entries.Add(entry);
    }

    private void Drop(Entry entry, string why)
    {
        TunnelLog.ServerDropped(log, entry.Address.Text, why);
        entries.Remove(entry);
        entry.Stop.Cancel();
        ended.Add(EndAsync(entry));
    }

    private async Task EndAsync(Entry entry)
    {
        await entry.Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        dropLink(entry.Link);
        entry.Stop.Dispose();
    }

    private static (string, ServerAddress)? TryParse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        try
        {
            return equals <= 0 ? null : (text[..equals], ServerAddress.Parse(text[(equals + 1)..]));
        }
        catch (MeshException)
        {
            return null;
        }
    }

    private string[] Read()
    {
        try
        {
            return StateFiles.TryRead(path) is { } stored ? JsonSerializer.Deserialize(stored, WireJson.Default.StringArray) ?? [] : [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            TunnelLog.FileFailed(log, path, fault.Message);
            return [];
        }
    }

    private void Write(string[] others)
    {
        try
        {
            StateFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(others, WireJson.Default.StringArray));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            TunnelLog.FileFailed(log, path, fault.Message);
        }
    }

    private sealed class Entry(ServerAddress address, RelayLink link, bool isConfigured, CancellationToken stop)
    {
        public ServerAddress Address => address;

        public RelayLink Link => link;

        public bool IsConfigured => isConfigured;

        /// <summary>As its welcome or another server says; null before.</summary>
        public string? Id { get; set; }

        public CancellationTokenSource Stop { get; } = CancellationTokenSource.CreateLinkedTokenSource(stop);

        public Task Running { get; set; } = Task.CompletedTask;
    }
}
