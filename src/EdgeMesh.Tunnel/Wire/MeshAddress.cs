using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>Where a relayed frame goes or comes from: the first 8 bytes of SHA-256 over the node name.</summary>
public readonly record struct MeshAddress(ulong Value)
{
    public const int Length = 8;

    public static MeshAddress Of(NodeName node)
    {
        Span<byte> name = stackalloc byte[256];
        int length = Encoding.UTF8.GetBytes(node.Value, name);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(name[..length], hash);
        return new MeshAddress(BinaryPrimitives.ReadUInt64BigEndian(hash));
    }

    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
