using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>Who is connected: by session id (what a frame carries) and by mesh address (where it goes). Reads take no lock.</summary>
internal sealed class SessionTable
{
    // Guards that both tables change together; readers see each change at once.
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<ulong, Session> byId = new();
    private readonly ConcurrentDictionary<MeshAddress, Session> byAddress = new();

    public int Count => byAddress.Count;

    public IEnumerable<Session> All => byAddress.Select(pair => pair.Value);

    public bool TryGetById(ulong id, [NotNullWhen(true)] out Session? session) => byId.TryGetValue(id, out session);

    public bool TryGetByAddress(MeshAddress address, [NotNullWhen(true)] out Session? session) => byAddress.TryGetValue(address, out session);

    /// <summary>Adds a session and returns the one of the same node that it takes the place of.</summary>
    public Session? Add(Session session)
    {
        lock (gate)
        {
            byAddress.TryGetValue(session.Address, out Session? older);
            if (older is not null)
            {
                byId.TryRemove(older.Id, out _);
            }

            byId[session.Id] = session;
            byAddress[session.Address] = session;
            return older;
        }
    }

    /// <summary>Removes a session, but not the newer one of its node.</summary>
    public void Remove(Session session)
    {
        lock (gate)
        {
            byId.TryRemove(session.Id, out _);
            byAddress.TryRemove(new KeyValuePair<MeshAddress, Session>(session.Address, session));
        }
    }
}
