namespace EdgeMesh.Server.State;

internal sealed record IssuedSerial(string Serial, DateTimeOffset ExpiresAt);
