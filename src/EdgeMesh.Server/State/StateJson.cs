using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

using EdgeMesh.Model;

namespace EdgeMesh.Server.State;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenRecord))]
[JsonSerializable(typeof(NodeRecord))]
[JsonSerializable(typeof(RevocationRecord))]
[JsonSerializable(typeof(ServerRecord))]
[JsonSerializable(typeof(JoinedRecord))]
internal sealed partial class StateJson : JsonSerializerContext
{
    /// <summary>Null when there is no such file.</summary>
    /// <exception cref="MeshException">The file is damaged; the message names it and the way out.</exception>
    public static T? Load<T>(StateDirectory directory, string file, JsonTypeInfo<T> type)
        where T : class
    {
        byte[]? content = directory.Read(file);
        if (content is null)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new JsonException("it holds no record");
        }
        catch (JsonException fault)
        {
            throw new MeshException(MeshExit.Failed,
                $"{directory.PathOf(file)}: damaged ({fault.Message}); restore it from a backup, or remove it and enrol or create again what it held",
                fault);
        }
    }

    public static void Save<T>(StateDirectory directory, string file, T record, JsonTypeInfo<T> type) =>
        directory.Write(file, JsonSerializer.SerializeToUtf8Bytes(record, type));
}
