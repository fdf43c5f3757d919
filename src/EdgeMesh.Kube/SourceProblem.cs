namespace EdgeMesh.Kube;

/// <summary>Something in a source that the operator has to mend; it stands in the status until it is.</summary>
/// <param name="File">Full path of the file or directory.</param>
/// <param name="Line">1-based line; 0 where the whole file is meant.</param>
/// <param name="Reason">What is wrong with which object, in one line.</param>
public sealed record SourceProblem(string File, int Line, string Reason)
{
    public override string ToString() => Line > 0 ? $"{File}:{Line}: {Reason}" : $"{File}: {Reason}";
}
