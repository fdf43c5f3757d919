namespace EdgeMesh.Tunnel.Wire;

/// <summary>A Binding request as it was read.</summary>
/// <param name="Transaction">To be repeated in the answer.</param>
/// <param name="UnknownAttribute">
/// First attribute of the range whose understanding is required (0–0x7FFF) that is not known here, 0 if there is none. Such a
/// request is answered with error 420.
/// </param>
public readonly record struct StunRequest(TransactionId Transaction, ushort UnknownAttribute);
