namespace EdgeMesh.Server.Join;

/// <summary>Body of <c>POST /v1/join</c> and, with a certificate in the place of the token, <c>POST /v1/join/renew</c>.</summary>
/// <param name="Token">Made with <c>token create --for-server</c>; null when renewing.</param>
/// <param name="Csr">PEM, P-256.</param>
/// <param name="Hosts">Names and addresses for the certificate.</param>
internal sealed record JoinRequest(string? Token, string Csr, IReadOnlyList<string> Hosts);
