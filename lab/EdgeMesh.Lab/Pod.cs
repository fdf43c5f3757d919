namespace EdgeMesh.Lab;

/// <summary>A pod of a node.</summary>
public sealed record Pod(string Name, Node Node, Host Host, string Address);
