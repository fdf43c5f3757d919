using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

using EdgeMesh.Model;
using EdgeMesh.Server.State;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;

using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Join;

/// <summary>
/// A joined server's side: gets its certificate from the first server, and keeps the copy of the registry up to date over mutual
/// TLS. While the first server is away the copy serves.
/// </summary>
internal sealed class RegistryReplica(Registry registry, string first, ServerAddresses self, string stateDirectory, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>10,000 nodes with two certificates each are some 6 MB.</summary>
    private const int MaxAnswer = 64 << 20;

    private readonly MeshClock clock = new(time, Path.Combine(stateDirectory, "clock"), log);

    // Guards since and the copy: the loop and a refresh may both have an answer.
    private readonly Lock gate = new();
    private readonly IReadOnlyList<ServerAddress> servers = [ServerAddress.Parse(first)];
    private long since;
    private long lastAsked;
    private string lastFault = "";
    private volatile IReadOnlyList<string> others = [];

    /// <summary>All servers of the mesh as the first one last told, <c>ID=host:port</c>.</summary>
    public IReadOnlyList<string> Servers => others;

    /// <summary>The first start: shows the token, gets a certificate and the whole registry.</summary>
    /// <exception cref="MeshException">Refused, or the first server cannot be reached.</exception>
    public static async Task JoinAsync(
        Registry registry, string first, string token, ServerAddresses self, string stateDirectory, TimeProvider time, ILogger log, CancellationToken stop)
    {
        if (!JoinToken.TryParse(token, out JoinToken? shown))
        {
            throw new MeshException(
                MeshExit.Refused,
                $"the join token ({token.Trim().Length} characters) is malformed: expected emt1.ID.SECRET.FINGERPRINT, as 'edgemesh token create --for-server' prints it on {first}");
        }

        registry.BeginJoin(first);
        MeshClock clock = new(time, Path.Combine(stateDirectory, "clock"), log);
        using ECDsa key = registry.ServerKey();
        ServerRequest request = new([ServerAddress.Parse(first)], new TrustAnchor(shown.Fingerprint.ToArray(), clock), null, null, null, clock);
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new JoinRequest(shown.Reveal(), Csr(key), self.Hosts), JoinJson.Default.JoinRequest);
        (byte[] answer, string server) = await request.PostAsync("/v1/join", body, Refused, stop).ConfigureAwait(false);
        CertificateAnswer issued = Read(answer, server, WireJson.Default.CertificateAnswer);
        using X509Certificate2 authority = X509Certificate2.CreateFromPem(issued.Ca);
        if (!new TrustAnchor(shown.Fingerprint.ToArray(), clock).IsCa(authority))
        {
            throw new MeshException(MeshExit.Refused, $"server {server} gave the certificate of another CA than the token's");
        }

        registry.KeepJoined(issued.Ca, issued.Certificate);
        ServerLog.Joined(log, first);
    }

    /// <summary>Keeps the copy up to date until it is told to stop.</summary>
    /// <param name="changed">Called after every change.</param>
    /// <param name="renewed">Called with a new certificate.</param>
    /// <param name="stop">Stops.</param>
    public async Task RunAsync(Action changed, Action renewed, CancellationToken stop)
    {
        TimeSpan pause = Pause;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (await RenewAsync(stop).ConfigureAwait(false))
                {
                    renewed();
                }

                await AskAsync(wait: since > 0, stop).ConfigureAwait(false);
                changed();
                pause = Pause;
                if (lastFault.Length > 0)
                {
                    lastFault = "";
                    ServerLog.CopyUpToDate(log, first);
                }
            }
            catch (MeshException fault) when (!stop.IsCancellationRequested)
            {
                if (fault.Message != lastFault)
                {
                    lastFault = fault.Message;
                    ServerLog.CopyStale(log, first, fault.Message);
                }

                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(pause * (0.75 + (Random.Shared.NextDouble() / 2)), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A node that the copy does not know has come: it may have enrolled a moment ago. At most once a second.</summary>
    public async Task RefreshAsync(CancellationToken stop)
    {
        if (time.GetElapsedTime(Volatile.Read(ref lastAsked)) < Pause)
        {
            return;
        }

        Volatile.Write(ref lastAsked, time.GetTimestamp());
        try
        {
            await AskAsync(wait: false, stop).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // The loop says what is wrong.
        }
    }

    private async Task AskAsync(bool wait, CancellationToken stop)
    {
        (TrustAnchor trust, SslStreamCertificateContext client) = Credentials();
        ServerRequest request = new(servers, trust, client, null, null, clock) { MaxAnswer = MaxAnswer, Hold = wait ? Hold : TimeSpan.Zero };
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(
            new RegistryRequest(Volatile.Read(ref since), wait, self.Tcp), JoinJson.Default.RegistryRequest);
        (byte[] answer, string server) = await request.PostAsync("/v1/registry", body, Refused, stop).ConfigureAwait(false);
        RegistryAnswer news = Read(answer, server, JoinJson.Default.RegistryAnswer);
        lock (gate)
        {
            registry.Apply(news);
            others = news.Servers;
            since = Math.Max(news.At, since);
        }
    }

    private async Task<bool> RenewAsync(CancellationToken stop)
    {
        using ECDsa key = registry.ServerKey();
        using X509Certificate2 current = registry.ServerCertificate([]);
        if (!registry.IsCertificateDue(key, self.Hosts))
        {
            return false;
        }

        (TrustAnchor trust, SslStreamCertificateContext client) = Credentials();
        ServerRequest request = new(servers, trust, client, null, null, clock);
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new JoinRequest(null, Csr(key), self.Hosts), JoinJson.Default.JoinRequest);
        (byte[] answer, string server) = await request.PostAsync("/v1/join/renew", body, Refused, stop).ConfigureAwait(false);
        registry.KeepJoined(registry.Authority.Pem, Read(answer, server, WireJson.Default.CertificateAnswer).Certificate);
        return true;
    }

    private (TrustAnchor Trust, SslStreamCertificateContext Client) Credentials() => (
        TrustAnchor.Of(registry.Authority.Certificate, clock),
        SslStreamCertificateContext.Create(registry.ServerCertificate([]), null, offline: true));

    private static string Csr(ECDsa key) =>
        new CertificateRequest($"CN={CertificateAuthority.ServerName}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    private static T Read<T>(byte[] answer, string server, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(answer, type) ?? throw new JsonException("it is empty");
        }
        catch (JsonException fault)
        {
            throw new MeshException(MeshExit.Unreachable, $"server {server} gave an answer that cannot be read: {fault.Message}", fault);
        }
    }

    private static MeshException Refused(ErrorAnswer error, string server) =>
        new(MeshExit.Refused, $"server {server} refused this server: {error.Message}");
}
