using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>Who is connected: by session id (what a frame carries) and by mesh address (where it goes). Reads take no lock.</summary>
internal sealed class SessionTable(int maxAgents)
{
    // Guards that both tables change together; readers see each change at once.
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<ulong, Session> byId = new();
    private readonly ConcurrentDictionary<MeshAddress, Session> byAddress = new();

    public int Count => byAddress.Count;

    public IEnumerable<Session> All => byAddress.Select(pair => pair.Value);

    public bool TryGetById(ulong id, [NotNullWhen(true)] out Session? session) => byId.TryGetValue(id, out session);

    public bool TryGetByAddress(MeshAddress address, [NotNullWhen(true)] out Session? session) => byAddress.TryGetValue(address, out session);

    /// <summary>Whether there is room for a node: always for one that has a session, which the new one replaces.</summary>
    public bool HasRoomFor(MeshAddress address) => byAddress.Count < maxAgents || byAddress.ContainsKey(address);

    /// <summary>Adds a session; false when there are as many as may be.</summary>
    /// <param name="session">The new one.</param>
    /// <param name="older">The one of the same node whose place it takes.</param>
    public bool TryAdd(Session session, out Session? older)
    {
        lock (gate)
        {
            if (!byAddress.TryGetValue(session.Address, out older) && byAddress.Count >= maxAgents)
            {
                return false;
            }

            if (older is not null)
            {
                byId.TryRemove(older.Id, out _);
            }

            byId[session.Id] = session;
            byAddress[session.Address] = session;
            return true;
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
