namespace EdgeMesh.Kube;

/// <summary>What the events of a directory told.</summary>
/// <param name="Names">Manifests that were named; null when the link behind all of them changed.</param>
/// <param name="IsLost">Events were lost: the watch has to be renewed.</param>
internal readonly record struct WatchNews(HashSet<string>? Names, bool IsLost);
