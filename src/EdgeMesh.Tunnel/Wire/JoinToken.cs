using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// <c>emt1.ID.SECRET.FINGERPRINT</c>: 8 and 32 random bytes and the SHA-256 of the CA certificate (DER), each base64url without
/// padding. The server keeps the hash of the secret; the fingerprint authenticates the server at the first contact.
/// </summary>
public sealed class JoinToken
{
    private const string Prefix = "emt1";
    private readonly byte[] secret;
    private readonly byte[] fingerprint;

    private JoinToken(string id, byte[] secret, byte[] fingerprint)
    {
        Id = id;
        this.secret = secret;
        this.fingerprint = fingerprint;
    }

    /// <summary>The public part, in base64url: names the token in lists, logs and messages.</summary>
    public string Id { get; }

    /// <summary>SHA-256 of the CA certificate in DER.</summary>
    public ReadOnlySpan<byte> Fingerprint => fingerprint;

    /// <summary>SHA-256 of the secret: what a server keeps and compares, in constant time.</summary>
    public byte[] HashSecret() => SHA256.HashData(secret);

    /// <param name="caFingerprint">SHA-256 of the CA certificate in DER, 32 bytes.</param>
    public static JoinToken Create(ReadOnlySpan<byte> caFingerprint) =>
        new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(8)), RandomNumberGenerator.GetBytes(32), caFingerprint.ToArray());

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        string[] parts = text?.Trim().Split('.') ?? [];
        if (parts.Length != 4 || parts[0] != Prefix
            || !TryDecode(parts[1], 8, out _)
            || !TryDecode(parts[2], 32, out byte[]? secret)
            || !TryDecode(parts[3], 32, out byte[]? fingerprint))
        {
            return false;
        }

        token = new JoinToken(parts[1], secret, fingerprint);
        return true;
    }

    /// <summary>The whole token, secret included: only for the operator who created it and for the enrol request.</summary>
    public string Reveal() => $"{Prefix}.{Id}.{Base64Url.EncodeToString(secret)}.{Base64Url.EncodeToString(fingerprint)}";

    /// <summary>The id alone: a token that gets into a log must not give its secret away.</summary>
    public override string ToString() => $"{Prefix}.{Id}";

    private static bool TryDecode(string text, int length, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        Span<byte> buffer = stackalloc byte[48];
        if (text.Length > 64 || text.Contains('=', StringComparison.Ordinal) || !Base64Url.IsValid(text)
            || !Base64Url.TryDecodeFromChars(text, buffer, out int written) || written != length)
        {
            return false;
        }

        bytes = buffer[..length].ToArray();
        return true;
    }
}
