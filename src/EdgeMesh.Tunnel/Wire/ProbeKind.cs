namespace EdgeMesh.Tunnel.Wire;

public enum ProbeKind : byte
{
    Ping = 1,
    Pong = 2,
}
