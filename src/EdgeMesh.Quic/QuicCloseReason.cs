namespace EdgeMesh.Quic;

/// <param name="Kind">Why.</param>
/// <param name="Code">Application code (Local, Peer), TLS alert (Tls) or transport error (Error); else 0.</param>
/// <param name="Text">For people.</param>
public readonly record struct QuicCloseReason(QuicCloseKind Kind, ulong Code, string Text);
