namespace EdgeMesh.Dns;

/// <summary>Where an answer came from; a label of the query counter.</summary>
internal enum AnswerSource : byte
{
    /// <summary>Refused or malformed: no data was looked at.</summary>
    None,
    Cluster,
    Cache,
    Stale,
    Upstream,
}
