using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>Who a simulated agent is: a name, a key and a certificate from the server's own enrolment, and an address that it comes from.</summary>
internal sealed record SimulatedIdentity(NodeName Node, IPAddress Source, SslClientAuthenticationOptions Tls)
{
    /// <summary>Below the 30 that the server lets one address enrol at once, and far below its 1,024 connections.</summary>
    public const int PerAddress = 25;

    /// <summary>Enrols all agents of one address over one connection.</summary>
    public static async Task<IReadOnlyList<SimulatedIdentity>> EnrolAsync(
        IPEndPoint server, JoinToken token, IPAddress source, IReadOnlyList<NodeName> nodes, CancellationToken stop)
    {
        byte[] fingerprint = token.Fingerprint.ToArray();
        using SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancel) => new NetworkStream(await ConnectAsync(source, server, cancel), ownsSocket: true),
            SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = TrustAnchor.ServerName,
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, _, chain, _) =>
                    chain!.ChainElements.Concat<object>(chain.ChainPolicy.ExtraStore).Any(found => IsCa(found, fingerprint)),
            },
        };
        using HttpClient http = new(handler);
        List<SimulatedIdentity> made = [];
        foreach (NodeName node in nodes)
        {
            made.Add(await EnrolAsync(http, token, source, node, stop));
        }

        return made;
    }

    public static async Task<Socket> ConnectAsync(IPAddress source, IPEndPoint server, CancellationToken stop)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(source, 0));
            await socket.ConnectAsync(server, stop);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<SimulatedIdentity> EnrolAsync(HttpClient http, JoinToken token, IPAddress source, NodeName node, CancellationToken stop)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string csr = new CertificateRequest($"CN={node.Value}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        using ByteArrayContent body = new(JsonSerializer.SerializeToUtf8Bytes(new EnrollRequest(node.Value, token.Reveal(), csr), WireJson.Default.EnrollRequest));
        using HttpResponseMessage response = await http.PostAsync(new Uri($"https://{TrustAnchor.ServerName}/v1/enroll"), body, stop);
        string answer = await response.Content.ReadAsStringAsync(stop);
        if (!response.IsSuccessStatusCode)
        {
            throw new LabException($"node {node} could not enrol from {source}: {answer}");
        }

        CertificateAnswer given = JsonSerializer.Deserialize(answer, WireJson.Default.CertificateAnswer)!;
        using X509Certificate2 plain = X509Certificate2.CreateFromPem(given.Certificate);
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(given.Ca));
        return new SimulatedIdentity(node, source, new SslClientAuthenticationOptions
        {
            TargetHost = TrustAnchor.ServerName,
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = SslStreamCertificateContext.Create(plain.CopyWithPrivateKey(key), null, offline: true),
            CertificateChainPolicy = policy,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        });
    }

    private static bool IsCa(object found, byte[] fingerprint) =>
        (found as X509ChainElement)?.Certificate is { } element ? SHA256.HashData(element.RawDataMemory.Span).AsSpan().SequenceEqual(fingerprint)
        : found is X509Certificate2 sent && SHA256.HashData(sent.RawDataMemory.Span).AsSpan().SequenceEqual(fingerprint);
}
