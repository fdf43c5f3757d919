namespace EdgeMesh.Tunnel.Wire;

/// <summary>Body of an HTTPS answer that is no success.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Message">One line for the operator.</param>
public sealed record ErrorAnswer(string Code, string Message);
