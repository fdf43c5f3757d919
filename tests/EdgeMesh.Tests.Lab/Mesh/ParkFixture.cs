using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>One park with the product running in it, for all tests of the collection; each leaves it as it found it.</summary>
public sealed class ParkFixture : IAsyncLifetime
{
    public static string Binary { get; } = FindBinary();

    public static string Tool { get; } = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    public ParkLab Park { get; private set; } = null!;

    public ParkMesh Mesh { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, CancellationToken.None);
        Mesh = new ParkMesh(Park, Binary);
        await Mesh.StartAllAsync(CancellationToken.None);
    }

    public async Task DisposeAsync() => await Park.DisposeAsync();

    /// <summary>The executable that <c>make publish</c> made: $EDGEMESH, or out/edgemesh of this checkout.</summary>
    private static string FindBinary()
    {
        if (Environment.GetEnvironmentVariable("EDGEMESH") is { Length: > 0 } given)
        {
            return Path.GetFullPath(given);
        }

        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "EdgeMesh.slnx")))
        {
            root = root.Parent;
        }

        string binary = Path.Combine(root?.FullName ?? "", "out", "edgemesh");
        return File.Exists(binary) ? binary : throw new InvalidOperationException($"{binary} is missing: run 'make publish' first, or set EDGEMESH");
    }
}

[CollectionDefinition(nameof(ParkCollection), DisableParallelization = true)]
public sealed class ParkCollection : ICollectionFixture<ParkFixture>;
