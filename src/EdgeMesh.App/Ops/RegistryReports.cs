namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh token create --json</c>. The only time the token itself is shown.</summary>
internal sealed record CreatedTokenReport(string Id, string Token, string? Node, DateTimeOffset ExpiresAt, int Uses);

/// <summary><c>edgemesh token list --json</c>.</summary>
internal sealed record TokensReport(IReadOnlyList<TokenReport> Tokens);

/// <param name="State"><c>good</c>, <c>expired</c> or <c>used-up</c>; a revoked token is not listed.</param>
internal sealed record TokenReport(string Id, string? Node, DateTimeOffset ExpiresAt, int UsesLeft, string State);

/// <summary><c>edgemesh server list --json</c>.</summary>
internal sealed record ServersReport(IReadOnlyList<JoinedServerReport> Servers);

/// <param name="Id">For <c>server revoke</c>.</param>
internal sealed record JoinedServerReport(string Id, IReadOnlyList<string> Addresses, DateTimeOffset JoinedAt);

/// <summary><c>edgemesh node list --json</c>.</summary>
internal sealed record NodesReport(IReadOnlyList<NodeReport> Nodes);

internal sealed record NodeReport(string Node, DateTimeOffset EnrolledAt, DateTimeOffset CertificateExpiresAt, bool Revoked);
