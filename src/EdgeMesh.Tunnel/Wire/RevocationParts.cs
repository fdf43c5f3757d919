namespace EdgeMesh.Tunnel.Wire;

/// <summary>Puts a list together from its pieces, which one sender sends in order; holds no more than a list may be long.</summary>
internal sealed class RevocationParts
{
    private byte[] collected = [];
    private uint number;
    private int next;

    /// <returns>The whole list, not verified, with its last piece; else null.</returns>
    public byte[]? Add(in RevocationPart part)
    {
        if (part.Index == 0)
        {
            collected = [];
            number = part.Number;
            next = 0;
        }

        if (part.Number != number || part.Index != next || part.Index >= part.Count || collected.Length + part.Bytes.Length > RevocationList.MaxBytes)
        {
            next = -1;
            collected = [];
            return null;
        }

        collected = [.. collected, .. part.Bytes.Span];
        next++;
        if (next < part.Count)
        {
            return null;
        }

        byte[] whole = collected;
        collected = [];
        next = -1;
        return whole;
    }
}
