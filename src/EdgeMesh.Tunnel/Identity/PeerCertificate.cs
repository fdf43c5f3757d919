using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>What a peer's certificate, whose chain is checked already, says: the node, its serial number, its time.</summary>
internal sealed record PeerCertificate(NodeName Node, string Serial, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>With every server away a certificate cannot be renewed; the mesh goes on this long.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromDays(30);

    /// <summary>A clock that is a little behind the server's.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(10);

    /// <returns>null unless it has exactly one DNS name, which is a node's and not a server's.</returns>
    public static PeerCertificate? TryRead(ReadOnlySpan<byte> der)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            IReadOnlyList<string> names = CertificateNames.Read(certificate);
            return names.Count == 1 && names[0] != TrustAnchor.ServerName && NodeName.TryParse(names[0], out NodeName node)
                ? new PeerCertificate(
                    node, certificate.SerialNumber, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime())
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <returns>null if its time is good, else what is wrong with it.</returns>
    public string? JudgeTime(DateTimeOffset now) =>
        now < NotBefore - Skew ? $"its certificate begins only at {NotBefore:u}; is this node's clock right?"
        : now > NotAfter + Grace ? $"its certificate ended at {NotAfter:u}"
        : null;
}
