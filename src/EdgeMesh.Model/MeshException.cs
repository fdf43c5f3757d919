namespace EdgeMesh.Model;

/// <summary>Exit status of the program, as in the README.</summary>
public enum MeshExit
{
    Done = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
}

/// <summary>
/// An expected failure with one line for the operator: what was given, what is wrong with it, what to do. The program prints
/// the message alone, without a stack trace, and exits with <paramref name="exit"/>.
/// </summary>
public sealed class MeshException(MeshExit exit, string message, Exception? inner = null) : Exception(message, inner)
{
    public MeshExit Exit { get; } = exit;
}
