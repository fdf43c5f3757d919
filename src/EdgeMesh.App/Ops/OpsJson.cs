using System.Text.Json.Serialization;
using EdgeMesh.Dns;

namespace EdgeMesh.App.Ops;

/// <summary>Source-generated JSON of the operator socket and the <c>--json</c> outputs (shapes in <c>docs/operations.md</c>).</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OperatorRequest))]
[JsonSerializable(typeof(OperatorFault))]
[JsonSerializable(typeof(AgentReport))]
[JsonSerializable(typeof(PeersReport))]
[JsonSerializable(typeof(PingReport))]
[JsonSerializable(typeof(NetcheckReport))]
[JsonSerializable(typeof(ResolveReport))]
[JsonSerializable(typeof(IReadOnlyList<DnsStep>))]
[JsonSerializable(typeof(ExplainReport))]
[JsonSerializable(typeof(RulesReport))]
[JsonSerializable(typeof(ServerReport))]
[JsonSerializable(typeof(DrainReport))]
[JsonSerializable(typeof(ServersReport))]
[JsonSerializable(typeof(VersionReport))]
[JsonSerializable(typeof(TokensReport))]
[JsonSerializable(typeof(CreatedTokenReport))]
[JsonSerializable(typeof(NodesReport))]
internal sealed partial class OpsJson : JsonSerializerContext;
