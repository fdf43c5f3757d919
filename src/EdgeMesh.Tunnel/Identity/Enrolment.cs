using System.Net.Security;
using System.Text.Json;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>The two requests for a certificate.</summary>
internal sealed class Enrolment(IReadOnlyList<ServerAddress> servers, int? mark, HttpProxy? proxy, MeshClock clock)
{
    /// <summary>POST /v1/enroll.</summary>
    /// <returns>The answer, and the address that gave it.</returns>
    /// <exception cref="MeshException">Refused, or nobody was reached.</exception>
    public Task<(CertificateAnswer Answer, string Server)> EnrollAsync(NodeName node, JoinToken token, string csr, CancellationToken stop) => PostAsync(
        new ServerRequest(servers, new TrustAnchor(token.Fingerprint.ToArray(), clock), null, mark, proxy, clock),
        "/v1/enroll",
        JsonSerializer.SerializeToUtf8Bytes(new EnrollRequest(node.Value, token.Reveal(), csr), WireJson.Default.EnrollRequest),
        (error, server) => Explain(error, server, node, token),
        stop);

    /// <summary>POST /v1/renew.</summary>
    /// <returns>The answer, and the address that gave it.</returns>
    /// <exception cref="MeshException">Refused, or nobody was reached.</exception>
    public Task<(CertificateAnswer Answer, string Server)> RenewAsync(
        string csr, TrustAnchor trust, SslStreamCertificateContext client, CancellationToken stop) => PostAsync(
        new ServerRequest(servers, trust, client, mark, proxy, clock),
        "/v1/renew",
        JsonSerializer.SerializeToUtf8Bytes(new RenewRequest(csr), WireJson.Default.RenewRequest),
        (error, server) => new MeshException(MeshExit.Refused, $"server {server} refused to renew the certificate: {error.Message}"),
        stop);

    private static async Task<(CertificateAnswer Answer, string Server)> PostAsync(
        ServerRequest request, string path, byte[] body, Func<ErrorAnswer, string, MeshException> explain, CancellationToken stop)
    {
        (byte[] answer, string server) = await request.PostAsync(path, body, explain, stop).ConfigureAwait(false);
        try
        {
            return (JsonSerializer.Deserialize(answer, WireJson.Default.CertificateAnswer) ?? throw new JsonException("it is empty"), server);
        }
        catch (JsonException fault)
        {
            throw new MeshException(MeshExit.Unreachable, $"server {server} answered with no certificate: {fault.Message}", fault);
        }
    }

    private static MeshException Explain(ErrorAnswer error, string server, NodeName node, JoinToken token) => error.Code switch
    {
        ErrorCodes.NameTaken => new MeshException(
            MeshExit.Refused,
            $"server {server}: node name '{node}' is held by another key; if that node is gone, run 'edgemesh node forget {node}' on the server: {error.Message}"),
        ErrorCodes.TokenUnknown or ErrorCodes.TokenExpired or ErrorCodes.TokenUsedUp or ErrorCodes.TokenOtherNode => new MeshException(
            MeshExit.Refused, $"server {server} refused join token {token.Id} for node '{node}': {error.Message}"),
        ErrorCodes.SlowDown => new MeshException(MeshExit.Unreachable, $"server {server} asks to try again later: {error.Message}"),
        _ => new MeshException(MeshExit.Refused, $"server {server} refused to enrol node '{node}': {error.Message}"),
    };
}
