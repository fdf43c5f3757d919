using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class RevocationListTests : IDisposable
{
    private static readonly string[] Serials = [.. Enumerable.Range(0, 1000).Select(i => $"4A{i:x6}00112233445566778899aabb")];

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 ca;

    public RevocationListTests() =>
        ca = new CertificateRequest("CN=ca", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));

    public void Dispose()
    {
        ca.Dispose();
        key.Dispose();
    }

    [Fact]
    public void ComesBackAsItWent()
    {
        RevocationList list = RevocationList.TryVerify(RevocationList.Sign(7, Serials, key), ca)!;
        Assert.Equal((7u, Serials.Length), (list.Number, list.Count));
        Assert.All(Serials, serial => Assert.True(list.Contains(serial.ToUpperInvariant())));
        Assert.False(list.Contains("4b"));
    }

    [Fact]
    public void NoBitOfItCanBeChangedAndNobodyElseCanSign()
    {
        byte[] signed = RevocationList.Sign(7, Serials[..3], key);
        for (int i = 0; i < signed.Length; i++)
        {
            signed[i] ^= 1;
            Assert.Null(RevocationList.TryVerify(signed, ca));
            signed[i] ^= 1;
            Assert.Null(RevocationList.TryVerify(signed[..i], ca));
        }

        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(RevocationList.TryVerify(RevocationList.Sign(8, Serials, other), ca));
        Assert.Null(RevocationList.TryVerify(null, ca));
        Assert.NotNull(RevocationList.TryVerify(signed, ca));
    }

    [Fact]
    public void PiecesMakeTheWholeAndOutOfOrderMakeNothing()
    {
        RevocationList list = RevocationList.TryVerify(RevocationList.Sign(7, Serials, key), ca)!;
        RevocationPart[] pieces = [.. RevocationPart.Cut(list, 4000)];
        Assert.True(pieces.Length > 3);
        RevocationParts parts = new();
        Assert.All(pieces[..^1], piece => Assert.Null(parts.Add(piece)));
        Assert.Equal(list.Signed, parts.Add(pieces[^1]));

        Assert.Null(parts.Add(pieces[0]));
        Assert.Null(parts.Add(pieces[2]));
        Assert.Null(parts.Add(pieces[1]));
        Assert.Null(parts.Add(pieces[^1]));
        Assert.Null(parts.Add(pieces[0]));
        Assert.Null(parts.Add(pieces[1] with { Number = 8 }));
    }

    [Fact]
    public void ASenderWithoutEndIsGivenUp()
    {
        RevocationParts parts = new();
        byte[] piece = new byte[60_000];
        for (int i = 0; i < 30; i++)
        {
            Assert.Null(parts.Add(new RevocationPart(9, (ushort)i, ushort.MaxValue, piece)));
        }

        Assert.Null(parts.Add(new RevocationPart(9, 30, 31, piece)));
    }

    [Fact]
    public void PiecesHaveTheirBytes()
    {
        byte[] room = new byte[4096];
        int length = ControlMessage.WriteRevocationPart(room, new RevocationPart(258, 1, 3, new byte[] { 9, 8 }));
        Assert.Equal("000b09" + "00000102" + "0001" + "0003" + "0908", WireCase.Hex(room.AsSpan(0, length)));
        Assert.True(ControlMessage.TryReadRevocationPart(room.AsSpan(3, length - 3), out RevocationPart part));
        Assert.Equal((258u, (ushort)1, (ushort)3, 2), (part.Number, part.Index, part.Count, part.Bytes.Length));
        Assert.False(ControlMessage.TryReadRevocationPart(room.AsSpan(3, 7), out _));
        length = ControlMessage.WriteRevocations(room, 258);
        Assert.Equal("000508" + "00000102", WireCase.Hex(room.AsSpan(0, length)));
    }
}
