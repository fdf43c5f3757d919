using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.State;

/// <summary>
/// The mesh CA: a self-signed P-256 key, ten years, pathLen 0. It issues certificates to nodes and to servers; docs/protocol.md
/// says what is in them. Thread safe: nothing changes after construction.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    public const string ServerName = "edgemesh-server";

    /// <summary>A certificate counts this long past its end, as between peers: a board may have been off for weeks.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(30);

    private const string CertificateFile = "ca.crt";
    private const string KeyFile = "ca.key";
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3652);

    /// <summary>Clocks of edge boards are seldom right to the minute.</summary>
    private static readonly TimeSpan Backdate = TimeSpan.FromHours(1);

    private const string ServerCertificateFile = "server.crt";
    private const string ServerKeyFile = "server.key";

    private readonly ECDsa? key;

    private CertificateAuthority(X509Certificate2 certificate, ECDsa? key)
    {
        Certificate = certificate;
        this.key = key;
        Pem = certificate.ExportCertificatePem() + "\n";
        Fingerprint = SHA256.HashData(certificate.RawData);
    }

    public X509Certificate2 Certificate { get; }

    public string Pem { get; }

    /// <summary>SHA-256 of the certificate (DER): what a token carries.</summary>
    public byte[] Fingerprint { get; }

    /// <summary>Loads the CA or, in a directory without one, makes it. The caller holds the directory's lock.</summary>
    public static CertificateAuthority LoadOrCreate(StateDirectory directory, TimeProvider time)
    {
        byte[]? keyPem = directory.ReadSecret(KeyFile);
        byte[]? certificatePem = directory.Read(CertificateFile);
        if (keyPem is null && certificatePem is not null)
        {
            throw new MeshException(MeshExit.Failed,
                $"{directory.PathOf(KeyFile)}: missing beside {CertificateFile}; restore it from a backup (without it no node can enrol or renew)");
        }

        ECDsa key = keyPem is null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : ParseKey(directory, KeyFile, keyPem);
        if (keyPem is null)
        {
            directory.Write(KeyFile, Utf8(key.ExportPkcs8PrivateKeyPem() + "\n"));
        }

        X509Certificate2 certificate;
        if (certificatePem is null)
        {
            certificate = SelfSign(key, time.GetUtcNow());
            directory.Write(CertificateFile, Utf8(certificate.ExportCertificatePem() + "\n"));
        }
        else
        {
            certificate = ParseCertificate(directory, CertificateFile, certificatePem);
            using ECDsa? published = certificate.GetECDsaPublicKey();
            if (published is null || !published.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            {
                throw new MeshException(MeshExit.Failed,
                    $"{directory.PathOf(CertificateFile)}: does not belong to {KeyFile}; restore both from one backup");
            }
        }

        return new CertificateAuthority(certificate, key);
    }

    /// <summary>The CA of a mesh that this server has joined: it checks, and cannot issue. Null before it has joined.</summary>
    public static CertificateAuthority? LoadJoined(StateDirectory directory) => directory.Read(CertificateFile) is { } pem
        ? new CertificateAuthority(ParseCertificate(directory, CertificateFile, pem), null)
        : null;

    /// <summary>True where the CA's private key is.</summary>
    public bool CanIssue => key is not null;

    /// <summary>Signs a revocation list.</summary>
    public byte[] Sign(uint number, IReadOnlyCollection<string> serials) => RevocationList.Sign(number, serials, Key);

    /// <summary>A server's certificate for these hosts, from the directory while it is good, else a new one. The caller holds the lock.</summary>
    public X509Certificate2 ServerCertificate(StateDirectory directory, IReadOnlyList<string> hosts, TimeProvider time)
    {
        using ECDsa serverKey = ServerKey(directory);
        if (FindServerCertificate(directory, serverKey, hosts, time.GetUtcNow()) is { } found)
        {
            return found;
        }

        using X509Certificate2 certificate = IssueServer(new PublicKey(serverKey), hosts, time.GetUtcNow());
        directory.Write(ServerCertificateFile, Utf8(certificate.ExportCertificatePem() + "\n"));
        return certificate.CopyWithPrivateKey(serverKey);
    }

    /// <summary>This server's key, made if there is none: other servers and the agents know it by it. The caller holds the lock.</summary>
    public static ECDsa ServerKey(StateDirectory directory)
    {
        if (directory.ReadSecret(ServerKeyFile) is { } stored)
        {
            return ParseKey(directory, ServerKeyFile, stored);
        }

        ECDsa made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        directory.Write(ServerKeyFile, Utf8(made.ExportPkcs8PrivateKeyPem() + "\n"));
        return made;
    }

    /// <summary>The certificate of the directory if it is this key's, for these hosts, and not due for renewal; else null.</summary>
    public X509Certificate2? FindServerCertificate(StateDirectory directory, ECDsa serverKey, IReadOnlyList<string> hosts, DateTimeOffset now)
    {
        if (directory.Read(ServerCertificateFile) is not { } pem)
        {
            return null;
        }

        using X509Certificate2 found = ParseCertificate(directory, ServerCertificateFile, pem);
        using ECDsa? published = found.GetECDsaPublicKey();
        bool isPair = published is not null
            && published.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(serverKey.ExportSubjectPublicKeyInfo());
        return isPair && !IsDueForRenewal(found, now) && ServerNames(hosts).SetEquals(Names(found)) && Issued(found)
            ? found.CopyWithPrivateKey(serverKey)
            : null;
    }

    /// <summary>The certificate of the directory as it is.</summary>
    public X509Certificate2 ReadServerCertificate(StateDirectory directory, ECDsa serverKey)
    {
        byte[] pem = directory.Read(ServerCertificateFile)
            ?? throw new MeshException(MeshExit.Failed, $"{directory.PathOf(ServerCertificateFile)}: missing; restore it, or join again with a new --state-dir");
        using X509Certificate2 found = ParseCertificate(directory, ServerCertificateFile, pem);
        return found.CopyWithPrivateKey(serverKey);
    }

    /// <summary>A joined server takes what the first one has issued; the CA's certificate first. The caller holds the lock.</summary>
    public static void KeepJoined(StateDirectory directory, string authorityPem, string certificatePem)
    {
        directory.Write(CertificateFile, Utf8(authorityPem));
        directory.Write(ServerCertificateFile, Utf8(certificatePem));
    }

    /// <summary>A server's certificate; a client's too, for servers that join.</summary>
    public X509Certificate2 IssueServer(PublicKey publicKey, IEnumerable<string> hosts, DateTimeOffset now) =>
        Issue(new CertificateRequest(CommonName(ServerName), publicKey, HashAlgorithmName.SHA256), ServerNames(hosts), [ServerAuth, ClientAuth], now);

    /// <summary>A node's certificate for the key of a CSR; whatever else the CSR asks for is not given.</summary>
    public X509Certificate2 IssueNode(NodeName node, PublicKey publicKey, DateTimeOffset now) =>
        Issue(new CertificateRequest(CommonName(node.Value), publicKey, HashAlgorithmName.SHA256), [node.Value], [ClientAuth, ServerAuth], now);

    /// <summary>The public key of a PEM CSR whose signature is right and whose key is P-256.</summary>
    public static bool TryReadRequest(string pem, [NotNullWhen(true)] out PublicKey? publicKey)
    {
        publicKey = null;
        try
        {
            PublicKey asked = CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256).PublicKey;
            using ECDsa? curve = asked.GetECDsaPublicKey();
            if (curve is null || curve.ExportParameters(false).Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value)
            {
                return false;
            }

            publicKey = asked;
            return true;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Whether this CA signed the certificate, whatever the time is.</summary>
    public bool Issued(X509Certificate2 certificate)
    {
        using X509Chain chain = new();
        chain.ChainPolicy = ChainPolicy();
        bool good = chain.Build(certificate);
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return good;
    }

    /// <summary>Trusts this CA and nothing of the system's, fetches nothing; times are judged by <see cref="NodeOf"/>'s caller.</summary>
    public X509ChainPolicy ChainPolicy()
    {
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid,
        };
        policy.CustomTrustStore.Add(Certificate);
        return policy;
    }

    /// <summary>The node a client certificate of this CA is for; false for a server's and for whatever is no node's.</summary>
    public static bool TryReadNode(X509Certificate2 certificate, out NodeName node)
    {
        node = default;
        string? only = null;
        foreach (string name in Names(certificate))
        {
            if (only is not null)
            {
                return false;
            }

            only = name;
        }

        return only != ServerName && NodeName.TryParse(only, out node) && HasUsage(certificate, ClientAuth);
    }

    /// <summary>Whether a client certificate of this CA is a server's.</summary>
    public static bool IsServer(X509Certificate2 certificate) =>
        Names(certificate).Contains(ServerName, StringComparer.Ordinal) && HasUsage(certificate, ClientAuth);

    /// <summary>Two thirds of its life are over.</summary>
    public static bool IsDueForRenewal(X509Certificate2 certificate, DateTimeOffset now)
    {
        DateTimeOffset start = certificate.NotBefore;
        DateTimeOffset end = certificate.NotAfter;
        return now < start || now >= start + ((end - start) * 2 / 3);
    }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo, hex: a key's name in the registry.</summary>
    public static string KeyName(PublicKey publicKey) => Convert.ToHexStringLower(SHA256.HashData(publicKey.ExportSubjectPublicKeyInfo()));

    public void Dispose()
    {
        key?.Dispose();
        Certificate.Dispose();
    }

    private ECDsa Key => key ?? throw new InvalidOperationException("a joined server has no CA key");

    private static SortedSet<string> ServerNames(IEnumerable<string> hosts) => new(hosts, StringComparer.Ordinal) { ServerName };

    private X509Certificate2 Issue(CertificateRequest request, IEnumerable<string> names, string[] usages, DateTimeOffset now)
    {
        SubjectAlternativeNameBuilder san = new();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
            {
                san.AddIpAddress(address);
            }
            else
            {
                san.AddDnsName(name);
            }
        }

        OidCollection oids = [];
        foreach (string usage in usages)
        {
            oids.Add(new Oid(usage));
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, false));
        request.CertificateExtensions.Add(san.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        DateTimeOffset end = now + Lifetime;
        DateTimeOffset last = Certificate.NotAfter;
        DateTimeOffset begin = now - Backdate;
        DateTimeOffset first = Certificate.NotBefore;
        return request.Create(
            Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(Key),
            begin < first ? first : begin, end > last ? last : end, NewSerial());
    }

    private static X509Certificate2 SelfSign(ECDsa key, DateTimeOffset now)
    {
        CertificateRequest request = new(
            CommonName("EdgeMesh CA " + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - Backdate, now + AuthorityLifetime, NewSerial());
    }

    /// <summary>DNS names and addresses of the SAN, as text.</summary>
    private static IEnumerable<string> Names(X509Certificate2 certificate)
    {
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == "2.5.29.17")
            {
                X509SubjectAlternativeNameExtension san = new(extension.RawData);
                foreach (string name in san.EnumerateDnsNames())
                {
                    yield return name;
                }

                foreach (IPAddress address in san.EnumerateIPAddresses())
                {
                    yield return address.ToString();
                }
            }
        }
    }

    private static bool HasUsage(X509Certificate2 certificate, string usage)
    {
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is X509EnhancedKeyUsageExtension enhanced)
            {
                foreach (Oid oid in enhanced.EnhancedKeyUsages)
                {
                    if (oid.Value == usage)
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

    private static X500DistinguishedName CommonName(string name)
    {
        X500DistinguishedNameBuilder builder = new();
        builder.AddCommonName(name);
        return builder.Build();
    }

    /// <summary>RFC 5280 4.1.2.2: positive, at most 20 bytes; 127 random bits.</summary>
    private static byte[] NewSerial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static ECDsa ParseKey(StateDirectory directory, string file, byte[] pem)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(System.Text.Encoding.UTF8.GetString(pem));
            return key;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw Damaged(directory, file, fault);
        }
    }

    private static X509Certificate2 ParseCertificate(StateDirectory directory, string file, byte[] pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(System.Text.Encoding.UTF8.GetString(pem));
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw Damaged(directory, file, fault);
        }
    }

    private static MeshException Damaged(StateDirectory directory, string file, Exception fault) => new(MeshExit.Failed,
        file.StartsWith("ca.", StringComparison.Ordinal)
            ? $"{directory.PathOf(file)}: damaged ({fault.Message}); restore it from a backup (a new CA would make every node enrol again)"
            : $"{directory.PathOf(file)}: damaged ({fault.Message}); remove it, the server makes a new one at its next start",
        fault);

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
