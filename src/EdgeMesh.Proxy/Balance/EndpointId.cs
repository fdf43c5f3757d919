using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Balance;

/// <summary>One endpoint of the park: the same address on two nodes is two endpoints.</summary>
internal readonly record struct EndpointId(NodeName? Node, TransportProtocol Protocol, IPEndPoint Address);
