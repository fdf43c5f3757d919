using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// Whom the agent takes for a server: a certificate for <c>edgemesh-server</c> that chains to the mesh CA, which is known by its
/// certificate or, before the first contact, by the fingerprint in the join token.
/// </summary>
internal sealed class TrustAnchor(byte[] caFingerprint, MeshClock clock)
{
    /// <summary>The name in every server's certificate, whatever host it runs on.</summary>
    public const string ServerName = "edgemesh-server";

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    public static TrustAnchor Of(X509Certificate2 ca, MeshClock clock) => new(SHA256.HashData(ca.RawDataMemory.Span), clock);

    /// <summary>Judges a server's certificate with what it sent along.</summary>
    /// <returns>null if it is good, else what is wrong.</returns>
    public string? Judge(X509Certificate2? leaf, X509Chain? sent)
    {
        if (leaf is null)
        {
            return "no certificate";
        }

        X509Certificate2? ca = Find(sent);
        if (ca is null)
        {
            return "a certificate of another CA than this mesh's";
        }

        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(ca);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = clock.Now.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        if (!chain.Build(leaf))
        {
            return "a bad certificate: " + string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()));
        }

        return HasName(leaf, ServerName) ? null : "a certificate of this mesh that is not a server's";
    }

    public bool IsCa(X509Certificate2 certificate) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate.RawDataMemory.Span), caFingerprint);

    private X509Certificate2? Find(X509Chain? sent)
    {
        if (sent is null)
        {
            return null;
        }

        foreach (X509ChainElement element in sent.ChainElements)
        {
            if (IsCa(element.Certificate))
            {
                return element.Certificate;
            }
        }

        return sent.ChainPolicy.ExtraStore.FirstOrDefault(IsCa);
    }

    private static bool HasName(X509Certificate2 leaf, string name) => CertificateNames.Read(leaf).Contains(name, StringComparer.Ordinal);
}
