namespace EdgeMesh.Dns;

/// <summary>What came of asking upstream.</summary>
internal readonly record struct Fetched(CachedAnswer Answer, AnswerSource Source);
