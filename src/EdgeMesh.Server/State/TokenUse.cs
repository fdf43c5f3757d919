namespace EdgeMesh.Server.State;

/// <summary>Who used a token. The same node with the same key may come again: its first answer may have been lost.</summary>
internal sealed record TokenUse(string Node, string Key, DateTimeOffset At);
