using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>Whom a TLS connection to an API believes and who it says we are. PEM; files are read for each new client.</summary>
internal sealed record TlsMaterial
{
    public Func<string>? Authority { get; init; }

    public Func<(string Certificate, string Key)>? Client { get; init; }

    public string? ServerName { get; init; }

    public bool SkipVerify { get; init; }

    /// <exception cref="MeshException">Something cannot be read.</exception>
    public void Apply(SslClientAuthenticationOptions options)
    {
        try
        {
            if (Authority is not null)
            {
                X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                policy.CustomTrustStore.ImportFromPem(Authority());
                options.CertificateChainPolicy = policy;
            }

            if (Client is not null)
            {
                (string certificate, string key) = Client();
                options.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(certificate, key), null, offline: true);
            }
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new IOException($"a certificate or key of the API's credentials cannot be read: {fault.Message}", fault);
        }

        if (ServerName is not null)
        {
            options.TargetHost = ServerName;
        }

        if (SkipVerify)
        {
#pragma warning disable CA5359 // The operator wrote insecure-skip-tls-verify; the log says so.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
    }
}
