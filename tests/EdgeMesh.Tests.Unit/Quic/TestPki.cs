using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>A CA and what it issues, for one test.</summary>
internal sealed class TestPki
{
    private readonly X509Certificate2 ca;

    public TestPki(string name = "test mesh")
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddYears(1));
    }

    public string CaPem => ca.ExportCertificatePem();

    public static string CommonName(ReadOnlySpan<byte> der) =>
        X509CertificateLoader.LoadCertificate(der).GetNameInfo(X509NameType.SimpleName, false);

    public QuicCredentials Issue(string node, TestPki? trusts = null, bool isExpired = false, string? purpose = null)
    {
        (string certificate, string key) = IssuePem(node, isExpired, purpose);
        return QuicCredentials.FromPem((trusts ?? this).CaPem, certificate, key);
    }

    public (string Certificate, string Key) IssuePem(string node, bool isExpired = false, string? purpose = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={node}", key, HashAlgorithmName.SHA256);
        OidCollection purposes = purpose is null
            ? [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")]
            : [new Oid(purpose)];
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, false));
        DateTimeOffset end = isExpired ? DateTimeOffset.UtcNow.AddDays(-1) : DateTimeOffset.UtcNow.AddDays(90);
        using X509Certificate2 certificate = request.Create(
            ca, end.AddDays(isExpired ? -1 : -91).AddHours(1), end, RandomNumberGenerator.GetBytes(8));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
