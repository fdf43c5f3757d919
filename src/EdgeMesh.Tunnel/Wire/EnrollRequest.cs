namespace EdgeMesh.Tunnel.Wire;

/// <summary>Body of <c>POST /v1/enroll</c>. The CSR is PEM with a P-256 key.</summary>
public sealed record EnrollRequest(string Node, string Token, string Csr);
