namespace EdgeMesh.Tunnel.Wire;

/// <summary>Type of a message on the control stream.</summary>
internal enum ControlType : byte
{
    Hello = 1,
    Candidates = 2,
    Punch = 3,
    RelayLimit = 4,
    Going = 5,
    Guess = 6,
    Servers = 7,
    Revocations = 8,
    RevocationPart = 9,
}
