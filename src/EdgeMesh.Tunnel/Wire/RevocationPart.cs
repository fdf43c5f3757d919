namespace EdgeMesh.Tunnel.Wire;

/// <summary>A piece of a <see cref="RevocationList"/> on its way.</summary>
/// <param name="Number">Of the list.</param>
/// <param name="Index">From 0.</param>
/// <param name="Count">Pieces in all.</param>
/// <param name="Bytes">At most what one message holds.</param>
internal readonly record struct RevocationPart(uint Number, ushort Index, ushort Count, ReadOnlyMemory<byte> Bytes)
{
    public static IEnumerable<RevocationPart> Cut(RevocationList list, int size)
    {
        int count = (list.Signed.Length + size - 1) / size;
        for (int i = 0; i < count; i++)
        {
            yield return new RevocationPart(
                list.Number, (ushort)i, (ushort)count, list.Signed.AsMemory(i * size, Math.Min(size, list.Signed.Length - (i * size))));
        }
    }
}
