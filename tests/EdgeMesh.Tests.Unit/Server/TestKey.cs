using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A node's key and the requests and certificates made with it.</summary>
internal sealed class TestKey : IDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public PublicKey Public => new(key);

    public string Csr(string name = "whoever") =>
        new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    /// <summary>The certificate with this key, as a TLS client needs it.</summary>
    public X509Certificate2 With(string certificatePem)
    {
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(certificatePem);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>A certificate for this key that another CA issued.</summary>
    public X509Certificate2 ForeignCertificate(string name)
    {
        using ECDsa foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest ca = new("CN=Foreign CA", foreign, HashAlgorithmName.SHA256);
        ca.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        using X509Certificate2 caCertificate = ca.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(100));
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder san = new();
        san.AddDnsName(name);
        request.CertificateExtensions.Add(san.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using X509Certificate2 certificate = request.Create(caCertificate, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(90), [0x41, 2, 3]);
        return certificate.CopyWithPrivateKey(key);
    }

    public void Dispose() => key.Dispose();
}
