using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

using EdgeMesh.Model;
using EdgeMesh.Server.Http;
using EdgeMesh.Server.State;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server;

/// <summary>
/// A server's state directory: CA, tokens, nodes, revocations. The operator's verbs use it without a running server, and a
/// running server sees what they did, because everything is read when it is asked for and written under a lock that works
/// across processes. Thread safe. Calls read and write small files: do not make them on an event loop.
/// </summary>
/// <exception cref="MeshException">Every method: the directory cannot be used, or a file in it is damaged.</exception>
public sealed partial class Registry(string stateDirectory, TimeProvider time) : IDisposable
{
    internal const string Tokens = "tokens";
    internal const string Nodes = "nodes";
    internal const string Revocations = "revocations";

    /// <summary>An expired token is remembered this long, so that its holder is told why it does not work.</summary>
    private static readonly TimeSpan ExpiredTokenKept = TimeSpan.FromDays(30);

    private readonly StateDirectory directory = new(stateDirectory);

    // Guards authority: made once, by the first caller.
    private readonly Lock gate = new();
    private CertificateAuthority? authority;

    /// <summary>Makes a join token; in a new state directory, the CA too.</summary>
    /// <param name="node">The only node that may use it; null for any.</param>
    /// <param name="ttl">Positive.</param>
    /// <param name="uses">At least 1.</param>
    /// <param name="forServer">For a server that joins this one, not for nodes.</param>
    public NewToken CreateToken(NodeName? node, TimeSpan ttl, int uses, bool forServer = false)
    {
        if (ttl <= TimeSpan.Zero)
        {
            throw new MeshException(MeshExit.Usage, $"--ttl {ttl}: a token must live for some time; give for example --ttl 24h");
        }

        if (uses < 1)
        {
            throw new MeshException(MeshExit.Usage, $"--uses {uses}: a token must be good for at least one use");
        }

        RequireFirst("create a token");
        CertificateAuthority ca = OpenAuthority();
        DateTimeOffset now = time.GetUtcNow();
        JoinToken token = NewJoinToken(ca.Fingerprint);
        TokenRecord record = new()
        {
            Id = token.Id,
            SecretHash = Convert.ToHexStringLower(token.HashSecret()),
            Node = node?.Value,
            CreatedAt = now,
            ExpiresAt = now + ttl,
            MaxUses = uses,
            ForServer = forServer,
            Uses = [],
        };
        using (directory.Lock())
        {
            foreach (TokenRecord old in LoadAll(Tokens, StateJson.Default.TokenRecord))
            {
                if (old.ExpiresAt + ExpiredTokenKept < now)
                {
                    directory.Delete(TokenFile(old.Id));
                }
            }

            StateJson.Save(directory, TokenFile(record.Id), record, StateJson.Default.TokenRecord);
        }

        return new NewToken(token.Reveal(), Info(record));
    }

    /// <summary>All tokens, expired ones of the last 30 days too, oldest first.</summary>
    public IReadOnlyList<TokenInfo> ListTokens()
    {
        RequireDirectory();
        List<TokenInfo> tokens = [.. LoadAll(Tokens, StateJson.Default.TokenRecord).Select(Info)];
        tokens.Sort((a, b) => a.CreatedAt.CompareTo(b.CreatedAt));
        return tokens;
    }

    /// <summary>Forgets a token: nobody enrols with it any more. Who has enrolled with it stays.</summary>
    public void RevokeToken(string id)
    {
        RequireDirectory();
        RequireFirst($"revoke token {id}");
        using (directory.Lock())
        {
            if (!IsTokenId(id) || directory.Read(TokenFile(id)) is null)
            {
                throw new MeshException(MeshExit.Failed, $"token '{id}': there is none; 'edgemesh token list' shows their ids");
            }

            directory.Delete(TokenFile(id));
        }
    }

    /// <summary>All enrolled nodes, by name.</summary>
    public IReadOnlyList<NodeInfo> ListNodes()
    {
        RequireDirectory();
        List<NodeInfo> nodes = [.. LoadAll(Nodes, StateJson.Default.NodeRecord).Select(Info)];
        nodes.Sort((a, b) => a.Name.CompareTo(b.Name));
        return nodes;
    }

    /// <summary>Frees a name for a new key. Certificates issued for it end; its old key may enrol again unless it was revoked.</summary>
    public void ForgetNode(NodeName node)
    {
        RequireDirectory();
        RequireFirst($"forget node {node}");
        using (directory.Lock())
        {
            NodeRecord record = RequireNode(node);
            if (record.RevokedAt is null)
            {
                AddRevocation(record, keyRevoked: false);
            }

            directory.Delete(NodeFile(node));
        }
    }

    /// <summary>Ends a node's certificates and its key for good; its name stays taken until it is forgotten.</summary>
    public void RevokeNode(NodeName node)
    {
        RequireDirectory();
        RequireFirst($"revoke node {node}");
        using (directory.Lock())
        {
            NodeRecord record = RequireNode(node);
            if (record.RevokedAt is null)
            {
                // First the revocation: a crash in between leaves a node that is revoked, not one that is not.
                AddRevocation(record, keyRevoked: true);
                StateJson.Save(directory, NodeFile(node), record with { RevokedAt = time.GetUtcNow() }, StateJson.Default.NodeRecord);
            }
        }
    }

    public void Dispose() => authority?.Dispose();

    internal CertificateAuthority Authority => authority ?? OpenAuthority();

    /// <summary>Makes or loads everything; a damaged file anywhere is reported now, not at a node's next request.</summary>
    internal void Open()
    {
        OpenAuthority();
        using (directory.Lock())
        {
            directory.RemoveLeftovers("", Tokens, Nodes, Revocations, Servers);
        }

        _ = LoadAll(Tokens, StateJson.Default.TokenRecord).Count();
        _ = LoadAll(Nodes, StateJson.Default.NodeRecord).Count();
        _ = LoadAll(Revocations, StateJson.Default.RevocationRecord).Count();
    }

    internal X509Certificate2 ServerCertificate(IReadOnlyList<string> hosts)
    {
        CertificateAuthority ca = Authority;
        using (directory.Lock())
        {
            if (ca.CanIssue)
            {
                return ca.ServerCertificate(directory, hosts, time);
            }

            // The replica renews it in time; until then, and while the first server is away, it serves with what it has.
            using System.Security.Cryptography.ECDsa key = CertificateAuthority.ServerKey(directory);
            return ca.ReadServerCertificate(directory, key);
        }
    }

    /// <summary>
    /// Registers a node and issues its certificate. A use of the token is counted only when it succeeds, and not again for the
    /// same node with the same key.
    /// </summary>
    internal Enrolment Enroll(JoinToken shown, NodeName node, PublicKey publicKey)
    {
        CertificateAuthority ca = Authority;
        if (!ca.CanIssue)
        {
            return ApiError.Elsewhere(First!);
        }

        string key = CertificateAuthority.KeyName(publicKey);
        using (directory.Lock())
        {
            DateTimeOffset now = time.GetUtcNow();
            if (CheckToken(shown, node.Value, key, now, out TokenRecord? token, out bool isRepeat) is { } refusal)
            {
                return refusal;
            }

            if (token!.ForServer)
            {
                return ApiError.TokenForServer;
            }

            NodeRecord? known = StateJson.Load(directory, NodeFile(node), StateJson.Default.NodeRecord);
            if (known is not null && known.Name != node.Value)
            {
                return ApiError.AddressTaken(node, known.Name);
            }

            if (known?.RevokedAt is not null || IsKeyRevoked(key))
            {
                return ApiError.Revoked(node);
            }

            if (known is not null && known.Key != key)
            {
                return ApiError.NameTaken(node);
            }

            using X509Certificate2 certificate = ca.IssueNode(node, publicKey, now);
            CountUse(token, isRepeat, node.Value, key, now);
            SaveNode(known, node, key, certificate, now);
            return new Enrolment(certificate.ExportCertificatePem() + "\n", null);
        }
    }

    /// <summary>A new certificate for the key of the old one.</summary>
    internal Enrolment Renew(X509Certificate2 current, PublicKey publicKey)
    {
        CertificateAuthority ca = Authority;
        if (!ca.CanIssue)
        {
            return ApiError.Elsewhere(First!);
        }

        using (directory.Lock())
        {
            ApiError? refusal = Check(current, out NodeName node);
            if (refusal is not null)
            {
                return refusal;
            }

            string key = CertificateAuthority.KeyName(publicKey);
            if (key != CertificateAuthority.KeyName(current.PublicKey))
            {
                return ApiError.BadRequest("the CSR has another key than the certificate; a node keeps its key when it renews");
            }

            DateTimeOffset now = time.GetUtcNow();
            NodeRecord? known = StateJson.Load(directory, NodeFile(node), StateJson.Default.NodeRecord);
            using X509Certificate2 certificate = ca.IssueNode(node, publicKey, now);
            SaveNode(known, node, key, certificate, now);
            return new Enrolment(certificate.ExportCertificatePem() + "\n", null);
        }
    }

    /// <summary>Null when the bearer of this certificate may connect now. That the CA signed it was checked by the handshake.</summary>
    internal ApiError? Check(X509Certificate2 certificate, out NodeName node)
    {
        if (!CertificateAuthority.TryReadNode(certificate, out node))
        {
            return ApiError.CertificateRequired;
        }

        NodeRecord? known = StateJson.Load(directory, NodeFile(node), StateJson.Default.NodeRecord);
        if (known?.RevokedAt is not null)
        {
            return ApiError.Revoked(node);
        }

        if (known is null
            || known.Name != node.Value
            || known.Key != CertificateAuthority.KeyName(certificate.PublicKey)
            || !known.Serials.Any(issued => issued.Serial == SerialOf(certificate)))
        {
            return ApiError.Forgotten(node);
        }

        return time.GetUtcNow() > new DateTimeOffset(certificate.NotAfter) + CertificateAuthority.Grace ? ApiError.CertificateExpired : null;
    }

    /// <summary>Revocations numbered above <paramref name="after"/>, in order.</summary>
    internal IReadOnlyList<RevocationRecord> RevocationsAfter(int after)
    {
        List<RevocationRecord> found = [];
        foreach (string file in directory.Records(Revocations))
        {
            if (NumberOf(file) > after && StateJson.Load(directory, file, StateJson.Default.RevocationRecord) is { } record)
            {
                found.Add(record);
            }
        }

        return found;
    }

    internal DateTime RevocationsChangedAt => directory.ChangedAt(Revocations);

    /// <summary>As certificates carry it: hex, lower case.</summary>
    internal static string SerialOf(X509Certificate2 certificate) => Convert.ToHexStringLower(certificate.SerialNumberBytes.Span);

    private CertificateAuthority OpenAuthority()
    {
        lock (gate)
        {
            if (authority is null)
            {
                directory.Create(Tokens, Nodes, Revocations, Servers);
                string? first = First;
                using (directory.Lock())
                {
                    authority = first is null
                        ? CertificateAuthority.LoadOrCreate(directory, time)
                        : CertificateAuthority.LoadJoined(directory) ?? throw new MeshException(
                            MeshExit.Failed,
                            $"--state-dir {directory.Root}: has not joined {first} yet; start 'edgemesh server --join {first} --token-file FILE' once more");
                }
            }

            return authority;
        }
    }

    private void SaveNode(NodeRecord? known, NodeName node, string key, X509Certificate2 certificate, DateTimeOffset now)
    {
        List<IssuedSerial> serials = [.. StillGood(known?.Serials, now), new IssuedSerial(SerialOf(certificate), certificate.NotAfter)];
        NodeRecord record = new()
        {
            Name = node.Value,
            Key = key,
            Serials = serials,
            EnrolledAt = known?.EnrolledAt ?? now,
            RenewedAt = now,
        };
        StateJson.Save(directory, NodeFile(node), record, StateJson.Default.NodeRecord);
    }

    private static IEnumerable<IssuedSerial> StillGood(IReadOnlyList<IssuedSerial>? serials, DateTimeOffset now) =>
        (serials ?? []).Where(issued => issued.ExpiresAt + CertificateAuthority.Grace > now);

    private ApiError? CheckToken(JoinToken shown, string user, string key, DateTimeOffset now, out TokenRecord? token, out bool isRepeat)
    {
        isRepeat = false;
        token = StateJson.Load(directory, TokenFile(shown.Id), StateJson.Default.TokenRecord);
        if (token is null || !IsSecret(token, shown))
        {
            return ApiError.TokenUnknown;
        }

        if (token.Node is not null && token.Node != user)
        {
            return ApiError.TokenOtherNode(user);
        }

        if (now >= token.ExpiresAt)
        {
            return ApiError.TokenExpired;
        }

        isRepeat = token.Uses.Any(use => use.Node == user && use.Key == key);
        return !isRepeat && token.Uses.Count >= token.MaxUses ? ApiError.TokenUsedUp : null;
    }

    // Before what it is used for: a crash in between costs the operator a use, never gives one away.
    private void CountUse(TokenRecord token, bool isRepeat, string user, string key, DateTimeOffset now)
    {
        if (!isRepeat)
        {
            TokenRecord used = token with { Uses = [.. token.Uses, new TokenUse(user, key, now)] };
            StateJson.Save(directory, TokenFile(token.Id), used, StateJson.Default.TokenRecord);
        }
    }

    private void AddRevocation(NodeRecord node, bool keyRevoked) => AddRevocation(node.Name, node.Key, node.Serials, keyRevoked);

    private void AddRevocation(string node, string key, IReadOnlyList<IssuedSerial> serials, bool keyRevoked)
    {
        int last = 0;
        foreach (string file in directory.Records(Revocations))
        {
            last = Math.Max(last, NumberOf(file));
        }

        RevocationRecord record = new()
        {
            Number = last + 1,
            Node = node,
            Key = key,
            KeyRevoked = keyRevoked,
            Serials = serials,
            At = time.GetUtcNow(),
        };
        StateJson.Save(directory, RevocationFile(record.Number), record, StateJson.Default.RevocationRecord);
    }

    private bool IsKeyRevoked(string key) =>
        LoadAll(Revocations, StateJson.Default.RevocationRecord).Any(record => record.KeyRevoked && record.Key == key);

    private NodeRecord RequireNode(NodeName node)
    {
        NodeRecord? record = StateJson.Load(directory, NodeFile(node), StateJson.Default.NodeRecord);
        return record is not null && record.Name == node.Value
            ? record
            : throw new MeshException(MeshExit.Failed, $"node '{node}': not enrolled here; 'edgemesh node list' shows the names");
    }

    private void RequireDirectory()
    {
        if (!directory.Exists)
        {
            throw new MeshException(MeshExit.Usage, $"--state-dir {directory.Root}: no such directory; name the server's state directory");
        }

        directory.Create(Tokens, Nodes, Revocations, Servers);
    }

    /// <summary>A record that disappears between listing and reading was removed by somebody: it does not count.</summary>
    private IEnumerable<T> LoadAll<T>(string folder, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        foreach (string file in directory.Records(folder))
        {
            if (StateJson.Load(directory, file, type) is { } record)
            {
                yield return record;
            }
        }
    }

    private static string TokenFile(string id) => StateDirectory.RecordFile(Tokens, id);

    private static string NodeFile(NodeName node) =>
        StateDirectory.RecordFile(Nodes, MeshAddress.Of(node).ToString());

    private static int NumberOf(string file) => int.TryParse(Path.GetFileNameWithoutExtension(file), out int number) ? number : 0;

    /// <summary>What an operator typed becomes a file name. The id of a <see cref="JoinToken"/> is of this form already.</summary>
    private static bool IsTokenId(string id) => id.Length == 11 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static bool IsSecret(TokenRecord token, JoinToken shown) => CryptographicOperations.FixedTimeEquals(
        Encoding.ASCII.GetBytes(token.SecretHash), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(shown.HashSecret())));

    /// <summary>No id begins with '-': <c>token revoke ID</c> would take it for an option.</summary>
    private static JoinToken NewJoinToken(ReadOnlySpan<byte> fingerprint)
    {
        while (true)
        {
            JoinToken token = JoinToken.Create(fingerprint);
            if (token.Id[0] != '-')
            {
                return token;
            }
        }
    }

    private static TokenInfo Info(TokenRecord record) => new(
        record.Id, record.Node is null ? null : NodeName.Parse(record.Node), record.CreatedAt, record.ExpiresAt, record.Uses.Count, record.MaxUses);

    private static NodeInfo Info(NodeRecord record) => new(
        NodeName.Parse(record.Name), record.Key, record.EnrolledAt, record.RenewedAt,
        record.Serials.Count == 0 ? record.RenewedAt : record.Serials.Max(serial => serial.ExpiresAt), record.RevokedAt);
}
