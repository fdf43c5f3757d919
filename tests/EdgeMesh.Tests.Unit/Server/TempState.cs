namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A state directory that goes with the test.</summary>
internal sealed class TempState : IDisposable
{
    public TempState() => Root = Directory.CreateTempSubdirectory("edgemesh-server-test-").FullName;

    public string Root { get; }

    public string PathOf(string file) => Path.Combine(Root, file);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
