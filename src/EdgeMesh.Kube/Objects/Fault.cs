namespace EdgeMesh.Kube;

/// <summary>What is wrong with an object. A warning leaves the object usable; anything else does not.</summary>
internal readonly record struct Fault(int Line, string Reason, bool IsWarning = false);
