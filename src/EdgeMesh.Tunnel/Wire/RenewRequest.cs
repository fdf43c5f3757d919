namespace EdgeMesh.Tunnel.Wire;

/// <summary>Body of <c>POST /v1/renew</c>: a CSR in PEM with the key of the certificate the client shows.</summary>
public sealed record RenewRequest(string Csr);
