using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Rules;

/// <summary>
/// One element of a set or map. Every key begins with a clusterIP (or contains it), and a clusterIP has one owner, so two
/// Services never claim the same key. Kept instead of its text: 5,000 Services have 20,000 of them.
/// </summary>
/// <param name="Set">Where it belongs.</param>
/// <param name="Protocol">Zero where the key has none.</param>
/// <param name="Port">Service port, or the endpoint's in <see cref="RuleSetName.OffMesh"/>.</param>
/// <param name="Number">Slot, verdict or port of the agent's UDP socket.</param>
/// <param name="Address">clusterIP.</param>
/// <param name="Other">Endpoint that a slot leads to (IPEndPoint), or the address of the client or endpoint.</param>
internal readonly record struct Element(
    RuleSetName Set, TransportProtocol Protocol, ushort Port, int Number, IPAddress Address, object? Other);
