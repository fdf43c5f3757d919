namespace EdgeMesh.Dns;

internal enum DnsOutcome : byte
{
    /// <summary>Send nothing.</summary>
    Silence,

    /// <summary>The output holds the answer.</summary>
    Answer,

    /// <summary>The output holds the key of the question that has to go upstream first (<see cref="QuestionKey"/>).</summary>
    Ask,
}
