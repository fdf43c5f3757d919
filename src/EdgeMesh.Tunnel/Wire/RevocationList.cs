using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// The certificates that count no more: numbered, signed by the mesh CA, so that anybody may hand it on. Layout: version (1) = 1,
/// number (4), count (4), each serial number as length (1) and bytes, then ECDSA P-256 with SHA-256 over
/// <c>edgemesh revocations</c> and all before, 64 bytes (r ‖ s).
/// </summary>
internal sealed class RevocationList
{
    /// <summary>Some 50,000 certificates of the last four months.</summary>
    public const int MaxBytes = 1 << 20;

    public static readonly RevocationList Empty = new(0, [], []);

    private const byte Version = 1;
    private const int HeadLength = 9;
    private const int SignatureLength = 64;
    private const int MaxSerial = 20;

    private readonly FrozenSet<string> serials;

    private RevocationList(uint number, FrozenSet<string> serials, byte[] signed)
    {
        Number = number;
        this.serials = serials;
        Signed = signed;
    }

    /// <summary>A list with a higher number replaces one with a lower.</summary>
    public uint Number { get; }

    public int Count => serials.Count;

    /// <summary>As it is handed on; empty for <see cref="Empty"/>.</summary>
    public byte[] Signed { get; }

    private static ReadOnlySpan<byte> Purpose => "edgemesh revocations"u8;

    /// <param name="serial">Hex, either case.</param>
    public bool Contains(string serial) => serials.Contains(serial);

    /// <param name="number">Above all that were signed before.</param>
    /// <param name="serials">Hex.</param>
    /// <param name="key">The CA's.</param>
    public static byte[] Sign(uint number, IReadOnlyCollection<string> serials, ECDsa key)
    {
        byte[] room = new byte[HeadLength + (serials.Count * (MaxSerial + 1)) + SignatureLength];
        WireWriter writer = new(room);
        writer.Byte(Version);
        writer.UInt32(number);
        writer.UInt32((uint)serials.Count);
        foreach (string serial in serials)
        {
            writer.ShortText(Convert.FromHexString(serial));
        }

        writer.Bytes(key.SignData([.. Purpose, .. writer.Written], HashAlgorithmName.SHA256));
        return writer.Written.ToArray();
    }

    /// <returns>Null if it is not whole or not signed by this CA.</returns>
    public static RevocationList? TryVerify(byte[]? signed, X509Certificate2 ca) => signed is null ? null : TryVerify(signed.AsSpan(), ca);

    private static RevocationList? TryVerify(ReadOnlySpan<byte> signed, X509Certificate2 ca)
    {
        if (signed.Length < HeadLength + SignatureLength || signed.Length > MaxBytes)
        {
            return null;
        }

        ReadOnlySpan<byte> content = signed[..^SignatureLength];
        using ECDsa? key = ca.GetECDsaPublicKey();
        if (key is null || !key.VerifyData([.. Purpose, .. content], signed[^SignatureLength..], HashAlgorithmName.SHA256))
        {
            return null;
        }

        WireReader reader = new(content);
        HashSet<string> serials = new(StringComparer.OrdinalIgnoreCase);
        if (!reader.TryByte(out byte version) || version != Version || !reader.TryUInt32(out uint number) || !reader.TryUInt32(out uint count))
        {
            return null;
        }

        for (uint i = 0; i < count; i++)
        {
            if (!reader.TryByte(out byte length) || !reader.TryBytes(length, out ReadOnlySpan<byte> serial))
            {
                return null;
            }

            serials.Add(Convert.ToHexStringLower(serial));
        }

        return new RevocationList(number, serials.ToFrozenSet(StringComparer.OrdinalIgnoreCase), signed.ToArray());
    }
}
