namespace EdgeMesh.Kube;

internal enum ObjectKind : byte
{
    Service,
    EndpointSlice,
    Node,
    DestinationRule,
}

/// <summary>Identity of an object; the namespace of a Node is empty, a name not yet read too.</summary>
internal readonly record struct ObjectKey(ObjectKind Kind, string Namespace, string Name)
{
    public override string ToString() =>
        Name.Length == 0 ? $"{Kind}" : Kind == ObjectKind.Node ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";
}
