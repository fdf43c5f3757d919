using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Rules;

/// <summary>
/// One element of a set or map. Every key contains a Service's address, protocol and port (or a clusterIP alone), which
/// have one owner, so two Services never claim the same key;
/// <see cref="RuleSetName.OffMesh"/> and <see cref="RuleSetName.Retry"/> are the exceptions. Kept instead of its text: 5,000 Services have 20,000 of them.
/// </summary>
/// <param name="Set">Where it belongs.</param>
/// <param name="Protocol">Zero where the key has none.</param>
/// <param name="Port">Service port; zero in <see cref="RuleSetName.OffMesh"/> and <see cref="RuleSetName.Retry"/>.</param>
/// <param name="Number">Slot, verdict or port of the agent's UDP socket.</param>
/// <param name="Address">clusterIP or another address of the Service.</param>
/// <param name="Other">The endpoint (IPEndPoint), a client's address or network, or null.</param>
internal readonly record struct Element(
    RuleSetName Set, TransportProtocol Protocol, ushort Port, int Number, IPAddress Address, object? Other);
