using System.Text.Json.Serialization;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>Source-generated JSON of everything that goes over HTTPS and the WebSocket.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(EnrollRequest))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(CertificateAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(SignalMessage))]
[JsonSerializable(typeof(string[]))]
public sealed partial class WireJson : JsonSerializerContext;
