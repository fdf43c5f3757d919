namespace EdgeMesh.Kube;

/// <summary>An event of a watch.</summary>
/// <param name="Type"><c>ADDED</c>, <c>MODIFIED</c>, <c>DELETED</c> or <c>BOOKMARK</c>.</param>
/// <param name="ResourceVersion">Of the object: where the watch stands.</param>
/// <param name="Key">Which object.</param>
/// <param name="Objects">What the model makes of it; empty for a deletion and for what is of no use to the mesh.</param>
/// <param name="EndsList">A bookmark that says: with this the objects that were there at the start are complete.</param>
internal readonly record struct WatchEvent(string Type, string ResourceVersion, ObjectKey Key, IReadOnlyList<MappedObject> Objects, bool EndsList = false);
