namespace EdgeMesh.Quic;

/// <summary>A piece of native memory; [Start, End) holds bytes.</summary>
internal sealed unsafe class Chunk
{
    public byte* Memory;
    public int Capacity;
    public int Start;
    public int End;
    public Chunk? Next;
}
