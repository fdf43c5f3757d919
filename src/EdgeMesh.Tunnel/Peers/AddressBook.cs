using System.Net;
using System.Text.Json;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// Where peers were last reached directly, in <c>peers.json</c>: an agent that restarts while its servers are away finds its
/// peers again. A hint, no truth: TLS says who answers. Any thread.
/// </summary>
internal sealed class AddressBook
{
    private const int MaxPeers = 5_000;
    private const int MaxAddresses = 4;

    // Guards entries and isChanged.
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<string>> entries = new(StringComparer.Ordinal);
    private readonly string path;
    private readonly ILogger log;
    private bool isChanged;

    private AddressBook(string path, ILogger log)
    {
        this.path = path;
        this.log = log;
    }

    public static AddressBook Load(string stateDirectory, ILogger log)
    {
        AddressBook book = new(Path.Combine(stateDirectory, "peers.json"), log);
        try
        {
            if (StateFiles.TryRead(book.path) is { } bytes
                && JsonSerializer.Deserialize(bytes, PeersJson.Default.DictionaryStringListString) is { } stored)
            {
                foreach ((string node, List<string> addresses) in stored)
                {
                    book.entries[node] = addresses;
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            TunnelLog.FileFailed(log, book.path, fault.Message);
        }

        return book;
    }

    public IReadOnlyList<WireAddress> Find(NodeName node)
    {
        List<WireAddress> found = [];
        lock (gate)
        {
            foreach (string text in entries.GetValueOrDefault(node.Value) ?? [])
            {
                if (IPEndPoint.TryParse(text, out IPEndPoint? address))
                {
                    found.Add(WireAddress.From(address));
                }
            }
        }

        return found;
    }

    /// <summary>The peer answers at that address.</summary>
    public void Learn(NodeName node, WireAddress address)
    {
        string text = address.ToString();
        lock (gate)
        {
            Learn(node, text);
        }
    }

    /// <summary>Writes it if something has changed.</summary>
    public void Save()
    {
        byte[] content;
        lock (gate)
        {
            if (!isChanged)
            {
                return;
            }

            isChanged = false;
            content = JsonSerializer.SerializeToUtf8Bytes(entries, PeersJson.Default.DictionaryStringListString);
        }

        try
        {
            StateFiles.Replace(path, content);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            TunnelLog.FileFailed(log, path, fault.Message);
        }
    }

    private void Learn(NodeName node, string text)
    {
        if (!entries.TryGetValue(node.Value, out List<string>? known))
        {
            if (entries.Count >= MaxPeers)
            {
                return;
            }

            entries[node.Value] = known = [];
        }

        if (known.Count > 0 && known[0] == text)
        {
            return;
        }

        known.Remove(text);
        known.Insert(0, text);
        known.RemoveRange(Math.Min(known.Count, MaxAddresses), Math.Max(0, known.Count - MaxAddresses));
        isChanged = true;
    }
}
