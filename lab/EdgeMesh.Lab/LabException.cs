namespace EdgeMesh.Lab;

/// <summary>A command of the lab failed; the message has the command and what it said.</summary>
public sealed class LabException(string message) : Exception(message);
