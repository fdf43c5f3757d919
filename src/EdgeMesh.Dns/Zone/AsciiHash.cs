namespace EdgeMesh.Dns;

/// <summary>FNV-1a over ASCII, the same for text and wire bytes. Keys are names from the cluster, so it needs no secret.</summary>
internal static class AsciiHash
{
    public const uint Seed = 2166136261;

    private const uint Prime = 16777619;

    public static uint Add(uint hash, ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            hash = (hash ^ c) * Prime;
        }

        return hash;
    }

    public static uint Add(uint hash, ReadOnlySpan<byte> text)
    {
        foreach (byte b in text)
        {
            hash = (hash ^ b) * Prime;
        }

        return hash;
    }
}
