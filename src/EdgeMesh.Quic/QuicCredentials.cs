using System.Text;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>Our certificate with its key, and the CA every peer's certificate must chain to. Shared read-only by all connections.</summary>
public sealed class QuicCredentials : IDisposable
{
    private QuicCredentials(CredentialsHandle handle) => Handle = handle;

    internal CredentialsHandle Handle { get; }

    /// <param name="caCertificates">One or more CA certificates, PEM.</param>
    /// <param name="certificate">Our certificate, followed by intermediates if any, PEM.</param>
    /// <param name="privateKey">Its key, PEM (PKCS#8 or SEC1).</param>
    /// <exception cref="QuicUnavailableException">The native libraries are missing.</exception>
    /// <exception cref="ArgumentException">GnuTLS cannot read the input; the message says which and why.</exception>
    public static unsafe QuicCredentials FromPem(string caCertificates, string certificate, string privateKey)
    {
        QuicLibrary.EnsureLoaded();
        nint credentials;
        int result = GnuTls.gnutls_certificate_allocate_credentials(&credentials);
        if (result < 0)
        {
            throw new InvalidOperationException($"GnuTLS credentials: {GnuTls.Describe(result)}");
        }

        CredentialsHandle handle = new(credentials);
        byte[] ca = Encoding.UTF8.GetBytes(caCertificates);
        byte[] own = Encoding.UTF8.GetBytes(certificate);
        byte[] key = Encoding.UTF8.GetBytes(privateKey);
        try
        {
            fixed (byte* caPointer = ca, ownPointer = own, keyPointer = key)
            {
                GnuTlsDatum caDatum = new() { Data = caPointer, Size = (uint)ca.Length };
                GnuTlsDatum ownDatum = new() { Data = ownPointer, Size = (uint)own.Length };
                GnuTlsDatum keyDatum = new() { Data = keyPointer, Size = (uint)key.Length };
                result = GnuTls.gnutls_certificate_set_x509_trust_mem(credentials, &caDatum, GnuTls.FormatPem);
                if (result <= 0)
                {
                    throw new ArgumentException(
                        $"no CA certificate could be read: {(result < 0 ? GnuTls.Describe(result) : "there is none in it")}",
                        nameof(caCertificates));
                }

                result = GnuTls.gnutls_certificate_set_x509_key_mem(credentials, &ownDatum, &keyDatum, GnuTls.FormatPem);
                if (result < 0)
                {
                    throw new ArgumentException(
                        $"certificate and key could not be read or do not belong together: {GnuTls.Describe(result)}",
                        nameof(certificate));
                }
            }

            return new QuicCredentials(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Connections made with it keep it alive until they end.</summary>
    public void Dispose() => Handle.Dispose();
}
