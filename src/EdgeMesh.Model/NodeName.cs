using System.Diagnostics.CodeAnalysis;

namespace EdgeMesh.Model;

/// <summary>Name of a Kubernetes node: a DNS-1123 subdomain of at most 253 characters.</summary>
public readonly record struct NodeName : IComparable<NodeName>
{
    private NodeName(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse([NotNullWhen(true)] string? text, out NodeName name)
    {
        bool good = DnsName.IsSubdomain(text);
        name = good ? new NodeName(text!) : default;
        return good;
    }

    /// <exception cref="FormatException">The text is no DNS-1123 subdomain.</exception>
    public static NodeName Parse(string text) => TryParse(text, out NodeName name)
        ? name
        : throw new FormatException($"'{text}' is not a node name: lower-case letters, digits, '-' and '.', at most 253 characters");

    public int CompareTo(NodeName other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value ?? "";
}
