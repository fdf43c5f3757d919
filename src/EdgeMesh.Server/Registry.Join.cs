using System.Security.Cryptography.X509Certificates;

using EdgeMesh.Model;
using EdgeMesh.Server.Http;
using EdgeMesh.Server.Join;
using EdgeMesh.Server.State;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server;

/// <content>
/// Several servers: the first one holds the CA's key and issues; others join it and keep a copy of nodes and revocations, with
/// which they serve alone.
/// </content>
public sealed partial class Registry
{
    internal const string Servers = "servers";

    private const string JoinedFile = "joined.json";
    private const string RevocationListFile = "revocations.signed";

    /// <summary>Two changes within one tick of the file system's clock have one time.</summary>
    private static readonly TimeSpan ClockTick = TimeSpan.FromSeconds(2);

    /// <summary>Servers that have joined, by id.</summary>
    public IReadOnlyList<ServerInfo> ListServers()
    {
        RequireDirectory();
        return [.. LoadAll(Servers, StateJson.Default.ServerRecord).Select(s => new ServerInfo(s.Id, s.Addresses, s.JoinedAt)).OrderBy(s => s.Id, StringComparer.Ordinal)];
    }

    /// <summary>Ends a joined server's certificates: it gets the registry no more, and agents leave it.</summary>
    public void RevokeServer(string id)
    {
        RequireDirectory();
        RequireFirst($"revoke server {id}");
        using (directory.Lock())
        {
            string file = StateDirectory.RecordFile(Servers, id);
            ServerRecord record = id.All(char.IsAsciiHexDigit) && StateJson.Load(directory, file, StateJson.Default.ServerRecord) is { } found
                ? found
                : throw new MeshException(MeshExit.Failed, $"server '{id}': none with this id has joined; 'edgemesh server list' shows them");
            AddRevocation(CertificateAuthority.ServerName, record.Key, record.Serials, keyRevoked: true);
            directory.Delete(file);
        }
    }

    /// <summary>The server that this one has joined; null for the first one.</summary>
    internal string? First => StateJson.Load(directory, JoinedFile, StateJson.Default.JoinedRecord)?.First;

    /// <summary>What joining gives is there.</summary>
    internal bool HasJoined => First is not null && directory.Read("ca.crt") is not null && directory.Read("server.crt") is not null;

    /// <summary>Makes the directory and says where its registry comes from. It must have no CA of its own.</summary>
    internal void BeginJoin(string first)
    {
        directory.Create(Tokens, Nodes, Revocations, Servers);
        using (directory.Lock())
        {
            if (directory.Read("ca.key") is not null)
            {
                throw new MeshException(
                    MeshExit.Usage,
                    $"--join {first}: '{directory.Root}' holds a mesh of its own (ca.key); a server that joins another needs a --state-dir of its own, which may be empty");
            }

            StateJson.Save(directory, JoinedFile, new JoinedRecord(first), StateJson.Default.JoinedRecord);
        }
    }

    /// <summary>What the first server has issued to this one.</summary>
    internal void KeepJoined(string authorityPem, string certificatePem)
    {
        using (directory.Lock())
        {
            CertificateAuthority.KeepJoined(directory, authorityPem, certificatePem);
        }
    }

    /// <summary>This server's key; it signs the requests for its certificates.</summary>
    internal System.Security.Cryptography.ECDsa ServerKey()
    {
        using (directory.Lock())
        {
            return CertificateAuthority.ServerKey(directory);
        }
    }

    /// <summary>Whether this server's certificate should be renewed: it is old, damaged, or for other hosts.</summary>
    internal bool IsCertificateDue(System.Security.Cryptography.ECDsa key, IReadOnlyList<string> hosts)
    {
        using X509Certificate2? found = Authority.FindServerCertificate(directory, key, hosts, time.GetUtcNow());
        return found is null;
    }

    /// <summary>Issues a certificate to a server that shows a token for servers.</summary>
    internal Enrolment JoinServer(JoinToken shown, PublicKey publicKey, IReadOnlyList<string> hosts)
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
            ApiError? refusal = CheckToken(shown, CertificateAuthority.ServerName, key, now, out TokenRecord? token, out bool isRepeat)
                ?? (!token!.ForServer ? ApiError.TokenForNode : IsKeyRevoked(key) ? ApiError.ServerRevoked : null);
            if (refusal is not null)
            {
                return refusal;
            }

            CountUse(token!, isRepeat, CertificateAuthority.ServerName, key, now);
            return IssueServer(ca, publicKey, key, hosts, now);
        }
    }

    /// <summary>A new certificate for a joined server's key.</summary>
    internal Enrolment RenewServer(X509Certificate2 current, PublicKey publicKey, IReadOnlyList<string> hosts)
    {
        using (directory.Lock())
        {
            string key = CertificateAuthority.KeyName(publicKey);
            return CheckServer(current, out _) is { } refusal ? refusal
                : key != CertificateAuthority.KeyName(current.PublicKey)
                    ? ApiError.BadRequest("the CSR has another key than the certificate; a server keeps its key when it renews")
                    : IssueServer(Authority, publicKey, key, hosts, time.GetUtcNow());
        }
    }

    /// <summary>Null when the bearer of this certificate is a server that has joined.</summary>
    internal ApiError? CheckServer(X509Certificate2 certificate, out string id)
    {
        string key = CertificateAuthority.KeyName(certificate.PublicKey);
        id = ServerRecord.IdOf(key);
        ServerRecord? known = CertificateAuthority.IsServer(certificate)
            ? StateJson.Load(directory, StateDirectory.RecordFile(Servers, id), StateJson.Default.ServerRecord)
            : null;
        return known is not null && known.Key == key && known.Serials.Any(issued => issued.Serial == SerialOf(certificate))
            ? null
            : ApiError.ServerRevoked;
    }

    /// <summary>A joined server tells how agents reach it.</summary>
    internal void KeepAddresses(string id, IReadOnlyList<string> addresses)
    {
        using (directory.Lock())
        {
            string file = StateDirectory.RecordFile(Servers, id);
            if (StateJson.Load(directory, file, StateJson.Default.ServerRecord) is { } record && !record.Addresses.SequenceEqual(addresses))
            {
                StateJson.Save(directory, file, record with { Addresses = addresses }, StateJson.Default.ServerRecord);
            }
        }
    }

    /// <summary>When anything that other servers copy last changed, ticks.</summary>
    internal long ChangedAt => new[] { Nodes, Revocations, Servers }.Max(folder => directory.ChangedAt(folder).Ticks);

    /// <summary>What has changed since a time; all of it for 0.</summary>
    /// <param name="since">Ticks.</param>
    /// <param name="self">How agents reach this server, as <see cref="RegistryAnswer.Servers"/> has it.</param>
    internal RegistryAnswer Changes(long since, string self)
    {
        long at = DateTime.UtcNow.Ticks - ClockTick.Ticks;
        DateTime after = new(since, DateTimeKind.Utc);
        return new RegistryAnswer(
            at,
            [.. Changed(Nodes, after, StateJson.Default.NodeRecord)],
            [.. Changed(Revocations, after, StateJson.Default.RevocationRecord)],
            Convert.ToBase64String(SignedRevocations()),
            [self, .. JoinedServers()]);
    }

    /// <summary>Takes over what the first server has changed.</summary>
    internal void Apply(RegistryAnswer news)
    {
        using (directory.Lock())
        {
            foreach (RevocationRecord record in news.Revocations.OrderBy(r => r.Number))
            {
                string file = RevocationFile(record.Number);
                if (directory.Read(file) is null)
                {
                    StateJson.Save(directory, file, record, StateJson.Default.RevocationRecord);
                    ForgetCopy(record);
                }
            }

            foreach (NodeRecord node in news.Nodes)
            {
                StateJson.Save(directory, NodeFile(NodeName.Parse(node.Name)), node, StateJson.Default.NodeRecord);
            }

            byte[] list = Convert.FromBase64String(news.RevocationList);
            if (RevocationList.TryVerify(list, Authority.Certificate) is { } verified
                && verified.Number > (RevocationList.TryVerify(directory.Read(RevocationListFile), Authority.Certificate)?.Number ?? 0))
            {
                directory.Write(RevocationListFile, list);
            }
        }
    }

    /// <summary>All revocations that still matter, signed by the CA; empty while there is none.</summary>
    internal byte[] SignedRevocations()
    {
        byte[]? stored = directory.Read(RevocationListFile);
        if (!Authority.CanIssue)
        {
            return stored ?? [];
        }

        IReadOnlyList<RevocationRecord> records = RevocationsAfter(0);
        uint number = (uint)(records.Count == 0 ? 0 : records[^1].Number);
        if (number == 0 || RevocationList.TryVerify(stored, Authority.Certificate)?.Number == number)
        {
            return stored ?? [];
        }

        DateTimeOffset now = time.GetUtcNow();
        byte[] signed = Authority.Sign(
            number,
            [.. records.SelectMany(r => r.Serials).Where(s => s.ExpiresAt + CertificateAuthority.Grace > now).Select(s => s.Serial).Distinct()]);
        using (directory.Lock())
        {
            directory.Write(RevocationListFile, signed);
        }

        return signed;
    }

    /// <summary>Joined servers that have said how they are reached, <c>ID=host:port</c>.</summary>
    internal IEnumerable<string> JoinedServers() =>
        LoadAll(Servers, StateJson.Default.ServerRecord).Where(s => s.Addresses.Count > 0).Select(s => $"{s.Id}={s.Addresses[0]}");

    private void RequireFirst(string what)
    {
        if (First is { } first)
        {
            throw new MeshException(MeshExit.Usage, $"cannot {what} here: this server has joined {first}, whose registry it is; run that verb there");
        }
    }

    private Enrolment IssueServer(CertificateAuthority ca, PublicKey publicKey, string key, IReadOnlyList<string> hosts, DateTimeOffset now)
    {
        string id = ServerRecord.IdOf(key);
        string file = StateDirectory.RecordFile(Servers, id);
        ServerRecord? known = StateJson.Load(directory, file, StateJson.Default.ServerRecord);
        using X509Certificate2 certificate = ca.IssueServer(publicKey, hosts, now);
        ServerRecord record = new()
        {
            Id = id,
            Key = key,
            Serials = StillGood(known?.Serials, now).Append(new IssuedSerial(SerialOf(certificate), certificate.NotAfter)).ToList(),
            Addresses = known?.Addresses ?? [],
            JoinedAt = known?.JoinedAt ?? now,
        };
        StateJson.Save(directory, file, record, StateJson.Default.ServerRecord);
        return new Enrolment(certificate.ExportCertificatePem() + "\n", null);
    }

    // A forgotten node's certificates end; what has enrolled under the name since comes with the nodes.
    private void ForgetCopy(RevocationRecord record)
    {
        if (NodeName.TryParse(record.Node, out NodeName node)
            && StateJson.Load(directory, NodeFile(node), StateJson.Default.NodeRecord) is { } copy
            && copy.Key == record.Key && !record.KeyRevoked)
        {
            directory.Delete(NodeFile(node));
        }
    }

    private IEnumerable<T> Changed<T>(string folder, DateTime after, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        foreach (string file in directory.Records(folder))
        {
            if (directory.WrittenAt(file) >= after && StateJson.Load(directory, file, type) is { } record)
            {
                yield return record;
            }
        }
    }

    private static string RevocationFile(int number) => StateDirectory.RecordFile(Revocations, $"{number:d8}");
}
