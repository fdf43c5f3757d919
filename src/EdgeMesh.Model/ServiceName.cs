namespace EdgeMesh.Model;

/// <summary>Namespace and name of a Service; prints as <c>namespace/name</c>.</summary>
public readonly record struct ServiceName(string Namespace, string Name) : IComparable<ServiceName>
{
    public int CompareTo(ServiceName other)
    {
        int byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    /// <summary>Accepts <c>name</c> (namespace <c>default</c>) and <c>namespace/name</c>.</summary>
    public static bool TryParse(string? text, out ServiceName name)
    {
        name = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        (string space, string own) = slash < 0 ? ("default", text) : (text[..slash], text[(slash + 1)..]);
        if (!DnsName.IsLabel(space) || !DnsName.IsLabel(own))
        {
            return false;
        }

        name = new ServiceName(space, own);
        return true;
    }

    public override string ToString() => $"{Namespace}/{Name}";
}
