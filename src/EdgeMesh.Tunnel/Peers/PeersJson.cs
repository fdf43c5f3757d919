using System.Text.Json.Serialization;

namespace EdgeMesh.Tunnel.Peers;

[JsonSerializable(typeof(Dictionary<string, List<string>>))]
internal sealed partial class PeersJson : JsonSerializerContext;
