using System.Text.Json.Serialization;

namespace EdgeMesh.Server.Join;

/// <summary>JSON between servers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(RegistryRequest))]
[JsonSerializable(typeof(RegistryAnswer))]
internal sealed partial class JoinJson : JsonSerializerContext;
