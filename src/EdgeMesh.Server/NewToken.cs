namespace EdgeMesh.Server;

/// <param name="Text">What the agent needs. It is shown once and kept nowhere.</param>
public sealed record NewToken(string Text, TokenInfo Info);
