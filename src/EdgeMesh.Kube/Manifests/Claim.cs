namespace EdgeMesh.Kube;

/// <summary>A file's claim to say what an object is. Claims to one object form a list in the order of the file names.</summary>
internal sealed class Claim(string file, MappedObject mapped)
{
    public string File { get; } = file;

    public MappedObject Object { get; } = mapped;

    public Claim? Next { get; set; }
}
