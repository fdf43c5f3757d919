namespace EdgeMesh.Dns;

/// <summary>A <see cref="Model.ServiceName"/> as two lower-case labels of a query: looks up without making strings.</summary>
internal readonly ref struct WireServiceName(ReadOnlySpan<byte> space, ReadOnlySpan<byte> name)
{
    public ReadOnlySpan<byte> Namespace { get; } = space;

    public ReadOnlySpan<byte> Name { get; } = name;
}
