namespace EdgeMesh.Kube;

/// <summary>
/// Shares equal strings: namespaces, node names, zones and port names repeat thousands of times in a cluster. A direct-mapped
/// table, so it is bounded and forgets; a collision costs one more copy of a string and nothing else.
/// </summary>
internal sealed class StringPool(int capacity = 4096)
{
    private readonly string?[] slots = new string?[capacity];

    public string Share(string text)
    {
        ref string? slot = ref SlotOf(text);
        if (slot is not null && slot == text)
        {
            return slot;
        }

        return slot = text;
    }

    public string Share(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return "";
        }

        ref string? slot = ref SlotOf(text);
        if (slot is not null && text.SequenceEqual(slot))
        {
            return slot;
        }

        return slot = text.ToString();
    }

    private ref string? SlotOf(ReadOnlySpan<char> text) => ref slots[(uint)string.GetHashCode(text) % (uint)slots.Length];
}
