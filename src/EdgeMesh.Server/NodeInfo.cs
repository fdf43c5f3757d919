using EdgeMesh.Model;

namespace EdgeMesh.Server;

/// <summary>An enrolled node as <c>node list</c> shows it.</summary>
/// <param name="Key">SHA-256 of its public key (SubjectPublicKeyInfo), hex.</param>
/// <param name="CertificateExpiresAt">End of its newest certificate.</param>
/// <param name="RevokedAt">Null while it may connect.</param>
public sealed record NodeInfo(
    NodeName Name, string Key, DateTimeOffset EnrolledAt, DateTimeOffset RenewedAt,
    DateTimeOffset CertificateExpiresAt, DateTimeOffset? RevokedAt);
