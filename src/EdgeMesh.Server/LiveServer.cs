using EdgeMesh.Server.Http;
using EdgeMesh.Server.Relay;
using EdgeMesh.Server.Sessions;

namespace EdgeMesh.Server;

/// <summary>The parts of a running server that the meter asks.</summary>
internal sealed record LiveServer(RelayCounters Counters, SessionTable Sessions, FairShares Shares, QueueBudget Budget, HandshakeGate Gate);
