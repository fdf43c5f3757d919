namespace EdgeMesh.Quic;

/// <summary>Our certificate with its key, and the CA every peer's certificate must chain to. Shared read-only by all connections.</summary>
public sealed class QuicCredentials : IDisposable
{
    /// <param name="caCertificates">One or more CA certificates, PEM.</param>
    /// <param name="certificate">Our certificate, followed by intermediates if any, PEM.</param>
    /// <param name="privateKey">Its key, PEM (PKCS#8 or SEC1).</param>
    /// <exception cref="QuicUnavailableException">The native libraries are missing.</exception>
    /// <exception cref="ArgumentException">GnuTLS cannot read the input; the message says which and why.</exception>
    public static QuicCredentials FromPem(string caCertificates, string certificate, string privateKey) =>
        throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
