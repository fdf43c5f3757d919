namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh version --json</c>.</summary>
internal sealed record VersionReport(string Version, string Runtime, string System, string? Libraries, string? LibrariesProblem);
