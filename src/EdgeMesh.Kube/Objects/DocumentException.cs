namespace EdgeMesh.Kube;

/// <summary>A text that is no document at all: a syntax fault with its 1-based line.</summary>
internal sealed class DocumentException(int line, string reason) : Exception(reason)
{
    public int Line { get; } = line;
}
