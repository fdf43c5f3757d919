using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>The resolvers that programs in pods have: glibc's, musl's and .NET's.</summary>
[Collection(nameof(ParkCollection))]
public sealed class ResolverClientTests(ParkFixture fixture) : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("resolvers-").FullName;

    public static TheoryData<string, string> Names
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string library in (string[])["glibc", "musl", "dotnet"])
            {
                foreach (string name in (string[])["video", "video.default", "video.default.svc", "video.default.svc.cluster.local", "video.cluster.local.service"])
                {
                    all.Add(library, name);
                }
            }

            return all;
        }
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task ShortNamesResolveAsInAPod(string library, string name)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string answer = await fixture.Park.Edge3.Pods[1].Host.MustAsync(limit.Token, [.. await ProgramAsync(library, limit.Token), name]);
        Assert.Equal(ParkServices.Video.ClusterIP, answer.Trim());
    }

    [Theory]
    [InlineData("glibc")]
    [InlineData("musl")]
    [InlineData("dotnet")]
    public async Task AMissingNameIsMissing(string library)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        CommandResult result = await fixture.Park.Edge3.Pods[1].Host.RunAsync(
            limit.Token, [.. await ProgramAsync(library, limit.Token), "nothing.default.svc.cluster.local."]);
        Assert.Equal((false, "no such name"), (result.Succeeded, result.Output.Trim()));
    }

    /// <summary>More than six search domains and 256 characters, an underscore and the root among them; the one that helps comes last.</summary>
    [Theory]
    [InlineData("glibc", "video")]
    [InlineData("dotnet", "video")]
    [InlineData("glibc", "video.default.svc.cluster.local")]
    [InlineData("musl", "video.default.svc.cluster.local")]
    public async Task ManySearchDomainsAreNoTrouble(string library, string name)
    {
        string search = string.Join(' ', Enumerable.Range(1, 8).Select(i => $"a-rather-long-and-missing-namespace-number-{i}.svc.cluster.local"));
        Assert.Equal(ParkServices.Video.ClusterIP, await LookUpAsync(
            fixture.Park.Edge3.Pods[1].Host, library, name, $"search {search} _under_score.svc.cluster.local default.svc.cluster.local .\noptions ndots:5\n"));
    }

    /// <summary>A program of the node, or a pod of the host network, whose resolv.conf names the mesh address.</summary>
    [Theory]
    [InlineData("glibc")]
    [InlineData("musl")]
    [InlineData("dotnet")]
    public async Task HostProcessesResolveToo(string library)
    {
        Host node = fixture.Park.Edge3.Host;
        Assert.Equal(ParkServices.Face.ClusterIP, await LookUpAsync(node, library, "face", "search default.svc.cluster.local svc.cluster.local\noptions ndots:5\n"));
        Assert.Equal(ParkServices.Face.ClusterIP, await LookUpAsync(node, library, "face.default.svc.cluster.local", ""));
    }

    private async Task<string> LookUpAsync(Host host, string library, string name, string options)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string file = Path.Combine(directory, "resolv.conf");
        await File.WriteAllTextAsync(file, "nameserver 169.254.96.16\n" + options, limit.Token);
        string program = string.Join(' ', await ProgramAsync(library, limit.Token));
        // 'ip netns exec' gives the program a mount namespace of its own.
        return (await host.MustAsync(limit.Token, "sh", "-ec", $"mount --bind {file} /etc/resolv.conf; exec {program} {name}")).Trim();
    }

    private async Task<string[]> ProgramAsync(string library, CancellationToken stop)
    {
        if (library == "dotnet")
        {
            return [ParkFixture.Tool, "lookup"];
        }

        string program = Path.Combine(directory, library);
        await Command.MustAsync(
            library == "musl" ? "musl-gcc" : "gcc", ["-O1", "-o", program, Path.Combine(AppContext.BaseDirectory, "lookup.c")], null, stop);
        return [program];
    }
}
