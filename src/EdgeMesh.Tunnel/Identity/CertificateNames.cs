using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>The DNS names of a certificate.</summary>
internal static class CertificateNames
{
    private const string SubjectAlternativeName = "2.5.29.17";

    public static IReadOnlyList<string> Read(X509Certificate2 certificate)
    {
        List<string> names = [];
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == SubjectAlternativeName)
            {
                names.AddRange(new X509SubjectAlternativeNameExtension(extension.RawData).EnumerateDnsNames());
            }
        }

        return names;
    }

    /// <summary>Serial number in hex; empty if the certificate cannot be read.</summary>
    public static string ReadSerial(ReadOnlySpan<byte> der)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.SerialNumber;
        }
        catch (CryptographicException)
        {
            return "";
        }
    }

    /// <summary>The node a peer's certificate speaks for: exactly one DNS name, which is no server's.</summary>
    public static bool TryReadNode(ReadOnlySpan<byte> der, out NodeName node)
    {
        node = default;
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            IReadOnlyList<string> names = Read(certificate);
            return names.Count == 1 && names[0] != TrustAnchor.ServerName && NodeName.TryParse(names[0], out node);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
