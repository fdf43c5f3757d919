using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel;

/// <summary>
/// Who this node is: a P-256 key made here, a certificate for its name, the mesh CA. Kept in the state directory
/// (<c>node.key</c>, <c>node.crt</c>, <c>ca.crt</c>); renewed at two thirds of its life by <see cref="TunnelService"/>.
/// </summary>
public sealed class NodeIdentity : IDisposable
{
    private const string KeyFile = "node.key";
    private const string CertificateFile = "node.crt";
    private const string CaFile = "ca.crt";
    private const string ResetFile = "reset.key";
    private const string ClockFile = "clock";

    private readonly string directory;
    private readonly ILogger log;
    private readonly ECDsa key;
    private volatile State state;

    private NodeIdentity(NodeName node, string directory, ECDsa key, State state, MeshClock clock, byte[] resetSecret, ILogger log)
    {
        Node = node;
        this.directory = directory;
        this.key = key;
        this.state = state;
        this.log = log;
        Clock = clock;
        ResetSecret = resetSecret;
    }

    public NodeName Node { get; }

    /// <summary>End of the certificate.</summary>
    public DateTimeOffset NotAfter => state.Certificate.NotAfter.ToUniversalTime();

    /// <summary>SHA-256 of the CA's certificate.</summary>
    public string CaFingerprint => Convert.ToHexStringLower(SHA256.HashData(state.Ca.RawDataMemory.Span));

    internal MeshClock Clock { get; }

    /// <summary>32 bytes that survive a restart: stateless resets are made from them.</summary>
    internal byte[] ResetSecret { get; }

    internal X509Certificate2 Ca => state.Ca;

    internal string CertificatePem => state.CertificatePem;

    internal string CaPem => state.CaPem;

    internal string KeyPem => key.ExportPkcs8PrivateKeyPem();

    internal TrustAnchor Trust => TrustAnchor.Of(state.Ca, Clock);

    internal SslStreamCertificateContext ClientContext => state.Context;

    /// <summary>When the certificate is to be renewed: two thirds of its life.</summary>
    internal DateTimeOffset RenewAt
    {
        get
        {
            DateTimeOffset from = state.Certificate.NotBefore.ToUniversalTime();
            return from + ((NotAfter - from) * 2 / 3);
        }
    }

    /// <summary>Loads the identity from the state directory, or makes a key and enrols with the token.</summary>
    /// <exception cref="MeshException">
    /// Usage: no certificate and no token, or the directory is another node's. Refused: the token, the name or the CA is not
    /// accepted. Unreachable: no server answered. Failed: the directory cannot be used.
    /// </exception>
    public static async Task<NodeIdentity> LoadOrEnrollAsync(EnrollOptions options, TimeProvider time, ILogger log, CancellationToken stop)
    {
        try
        {
            Directory.CreateDirectory(options.StateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            MeshClock clock = new(time, Path.Combine(options.StateDirectory, ClockFile), log);
            byte[] resetSecret = LoadOrMakeSecret(Path.Combine(options.StateDirectory, ResetFile));
            ECDsa key = LoadOrMakeKey(Path.Combine(options.StateDirectory, KeyFile));
            State state = Load(options, key) ?? await EnrollAsync(options, key, clock, log, stop).ConfigureAwait(false);
            clock.Observe(state.Certificate.NotBefore.ToUniversalTime());
            clock.Keep();
            return new NodeIdentity(options.NodeName, options.StateDirectory, key, state, clock, resetSecret, log);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Failed, $"state directory '{options.StateDirectory}' cannot be used: {fault.Message}", fault);
        }
    }

    public void Dispose()
    {
        key.Dispose();
        state.Dispose();
    }

    /// <summary>Gets a new certificate for the same key.</summary>
    /// <exception cref="MeshException">Refused, or nobody was reached.</exception>
    internal async Task RenewAsync(IReadOnlyList<ServerAddress> servers, int? mark, HttpProxy? proxy, CancellationToken stop)
    {
        Enrolment enrolment = new(servers, mark, proxy, Clock);
        (CertificateAnswer answer, string server) = await enrolment.RenewAsync(RequestFor(Node, key), Trust, ClientContext, stop).ConfigureAwait(false);
        State next = Accept(answer, Node, key, Trust.IsCa, server);
        StateFiles.Replace(Path.Combine(directory, CertificateFile), next.CertificatePem);

        // The former certificate may still be in use by a connection that is being made: the collector takes it.
        state = next;
        Clock.Observe(next.Certificate.NotBefore.ToUniversalTime());
        TunnelLog.Renewed(log, server, NotAfter);
    }

    private static async Task<State> EnrollAsync(EnrollOptions options, ECDsa key, MeshClock clock, ILogger log, CancellationToken stop)
    {
        NodeName node = options.NodeName;
        if (string.IsNullOrWhiteSpace(options.Token))
        {
            throw new MeshException(
                MeshExit.Usage,
                $"node '{node}' has no certificate in '{options.StateDirectory}' and no join token is given: run 'edgemesh token create' on the server and pass it with --token-file FILE or in EDGEMESH_TOKEN");
        }

        if (!JoinToken.TryParse(options.Token, out JoinToken? token))
        {
            throw new MeshException(
                MeshExit.Refused,
                $"the join token ({options.Token.Trim().Length} characters) is malformed: expected emt1.ID.SECRET.FINGERPRINT, as 'edgemesh token create' prints it on the server");
        }

        if (node.Value == TrustAnchor.ServerName)
        {
            throw new MeshException(MeshExit.Usage, $"'{node}' is no node name: it stands for servers");
        }

        Enrolment enrolment = new(ServerAddress.ParseAll(options.Servers), options.SocketMark, options.HttpProxy, clock);
        (CertificateAnswer answer, string server) = await enrolment.EnrollAsync(node, token, RequestFor(node, key), stop).ConfigureAwait(false);
        byte[] fingerprint = token.Fingerprint.ToArray();
        State state = Accept(answer, node, key, new TrustAnchor(fingerprint, clock).IsCa, server);

        // The certificate last: with it the identity is complete.
        StateFiles.Replace(Path.Combine(options.StateDirectory, CaFile), state.CaPem);
        StateFiles.Replace(Path.Combine(options.StateDirectory, CertificateFile), state.CertificatePem);
        TunnelLog.Enrolled(log, node.Value, server, state.Certificate.NotAfter.ToUniversalTime());
        return state;
    }

    private static State? Load(EnrollOptions options, ECDsa key)
    {
        string certificatePath = Path.Combine(options.StateDirectory, CertificateFile);
        string caPath = Path.Combine(options.StateDirectory, CaFile);
        if (!File.Exists(certificatePath) || !File.Exists(caPath))
        {
            return null;
        }

        State state;
        try
        {
            state = new State(File.ReadAllText(certificatePath), File.ReadAllText(caPath), key);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new MeshException(
                MeshExit.Failed,
                $"the identity in '{options.StateDirectory}' cannot be read ({fault.Message.TrimEnd('.')}): restore it, or remove {CertificateFile}, {CaFile} and {KeyFile} and enrol again with a token",
                fault);
        }

        string[] names = [.. CertificateNames.Read(state.Certificate)];
        return names is [string only] && only == options.NodeName.Value
            ? state
            : throw new MeshException(
                MeshExit.Usage,
                $"state directory '{options.StateDirectory}' belongs to node '{string.Join(",", names)}', not '{options.NodeName}': give each node its own --state-dir");
    }

    private static State Accept(CertificateAnswer answer, NodeName node, ECDsa key, Func<X509Certificate2, bool> isCa, string server)
    {
        try
        {
            State state = new(answer.Certificate, answer.Ca, key);
            if (isCa(state.Ca) && CertificateNames.Read(state.Certificate) is [string name] && name == node.Value)
            {
                return state;
            }
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new MeshException(MeshExit.Failed, $"server {server} gave a certificate that cannot be used: {fault.Message}", fault);
        }

        throw new MeshException(MeshExit.Refused, $"server {server} gave a certificate of another CA or for another node than '{node}'");
    }

    private static string RequestFor(NodeName node, ECDsa key) =>
        new CertificateRequest($"CN={node.Value}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    private static ECDsa LoadOrMakeKey(string path)
    {
        byte[]? stored = StateFiles.TryRead(path);
        if (stored is null)
        {
            ECDsa made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            StateFiles.Replace(path, made.ExportPkcs8PrivateKeyPem());
            return made;
        }

        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(System.Text.Encoding.UTF8.GetString(stored));
            return key;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new MeshException(MeshExit.Failed, $"'{path}' holds no private key: restore it, or remove it and enrol again with a token", fault);
        }
    }

    private static byte[] LoadOrMakeSecret(string path)
    {
        byte[]? stored = StateFiles.TryRead(path);
        if (stored is { Length: 32 })
        {
            return stored;
        }

        byte[] made = RandomNumberGenerator.GetBytes(32);
        StateFiles.Replace(path, made);
        return made;
    }

    private sealed class State : IDisposable
    {
        public State(string certificatePem, string caPem, ECDsa key)
        {
            CertificatePem = certificatePem;
            CaPem = caPem;
            Ca = X509Certificate2.CreateFromPem(caPem);
            using X509Certificate2 plain = X509Certificate2.CreateFromPem(certificatePem);
            Certificate = plain.CopyWithPrivateKey(key);
            Context = SslStreamCertificateContext.Create(Certificate, null, offline: true);
        }

        public string CertificatePem { get; }

        public string CaPem { get; }

        public X509Certificate2 Ca { get; }

        public X509Certificate2 Certificate { get; }

        public SslStreamCertificateContext Context { get; }

        public void Dispose()
        {
            Certificate.Dispose();
            Ca.Dispose();
        }
    }
}
