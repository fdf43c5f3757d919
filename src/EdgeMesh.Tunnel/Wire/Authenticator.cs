using System.Security.Cryptography;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>The last 16 bytes of keyed messages: HMAC-SHA-256 over all before, its first 16 bytes.</summary>
internal static class Authenticator
{
    public const int Length = 16;

    /// <summary>Writes the tag of all but the last 16 bytes into the last 16.</summary>
    public static void Seal(ReadOnlySpan<byte> key, Span<byte> message)
    {
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message[..^Length], tag);
        tag[..Length].CopyTo(message[^Length..]);
    }

    public static bool Verify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message)
    {
        if (message.Length < Length)
        {
            return false;
        }

        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message[..^Length], tag);
        return CryptographicOperations.FixedTimeEquals(tag[..Length], message[^Length..]);
    }
}
