namespace EdgeMesh.Tunnel.Wire;

/// <summary>Answer to enrol and renew: the node's certificate and the CA's, both PEM.</summary>
public sealed record CertificateAnswer(string Certificate, string Ca);
