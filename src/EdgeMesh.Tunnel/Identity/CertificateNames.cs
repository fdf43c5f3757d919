using System.Security.Cryptography.X509Certificates;

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
}
