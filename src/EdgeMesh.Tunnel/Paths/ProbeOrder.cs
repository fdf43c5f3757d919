using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Paths;

/// <summary>A ping to be sent now.</summary>
/// <param name="To">Where.</param>
/// <param name="Transaction">Its id.</param>
/// <param name="Size">Length of the datagram; 0 for the shortest.</param>
internal readonly record struct ProbeOrder(WireAddress To, TransactionId Transaction, int Size);
