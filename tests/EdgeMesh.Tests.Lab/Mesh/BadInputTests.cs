using System.Net.Sockets;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>What goes wrong at an operator's hands: one line that names the input and the remedy, and the right exit status.</summary>
[Collection(nameof(ParkCollection))]
public sealed class BadInputTests(ParkFixture fixture) : IDisposable
{
    private readonly CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
    private readonly string state = Directory.CreateTempSubdirectory("em-bad-").FullName;

    private ParkLab Park => fixture.Park;

    private CancellationToken Stop => limit.Token;

    public void Dispose()
    {
        limit.Dispose();
        Directory.Delete(state, recursive: true);
    }

    [Fact]
    public async Task AnUnknownOptionIsAUsageFault() =>
        Check(await RunAsync(Park.Edge2.Host, ["agent", "--node-nam", "x"]), 2, "--node-nam", "--node-name");

    [Fact]
    public async Task AnUnknownKeyIsNamedWithItsLine()
    {
        string file = Path.Combine(state, "agent.yaml");
        await File.WriteAllTextAsync(file, "node-name: x\nservr: [a]\n", Stop);
        Check(await RunAsync(Park.Edge2.Host, ["agent", "--config", file]), 2, "servr", "2", "server");
    }

    [Fact]
    public async Task AWrongTokenIsRefused() =>
        Check(await JoinAsync("edge9", "emt1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 4, "token", "token create");

    [Fact]
    public async Task WhatIsNoTokenIsRefused() => Check(await JoinAsync("edge9", "secret"), 4, "token", "token create");

    [Fact]
    public async Task AnExpiredTokenIsRefused()
    {
        string token = await TokenAsync("--ttl", "1s", "--node", "edge9");
        await ParkMesh.UntilAsync("the token is over", async () =>
            (await ServerVerbAsync("token", "list")).Contains("expired", StringComparison.Ordinal), Stop);
        Check(await JoinAsync("edge9", token), 4, "expired", "token create");
    }

    [Fact]
    public async Task ARevokedTokenIsRefused()
    {
        string token = await TokenAsync("--node", "edge9");
        await ServerVerbAsync("token", "revoke", token.Split('.')[1]);
        Check(await JoinAsync("edge9", token), 4, "token", "token create");
    }

    [Fact]
    public async Task AUsedUpTokenIsRefused() =>
        // edge3's agent joined with its own.
        Check(await JoinAsync("edge3", (await File.ReadAllTextAsync(TokenFileOf("edge3"), Stop)).Trim()), 4, "used", "token create");

    [Fact]
    public async Task ANameHeldByAnotherKeyIsRefused() =>
        Check(await JoinAsync("edge3", await TokenAsync("--node", "edge3")), 4, "edge3", "node forget edge3");

    [Fact]
    public async Task AServerOutOfReachIsNamed() =>
        Check(await JoinAsync("edge9", await TokenAsync("--node", "edge9"), server: "127.0.0.1:1"), 3, "127.0.0.1:1");

    [Fact]
    public async Task APortInUseIsNamed() => Check(
        await RunAsync(Park.Cloud.Host, ["server", "--state-dir", state, "--advertise", "203.0.113.10", "--listen", "0.0.0.0:20006", "--metrics-listen", "off"]), 1, "20006", "another program");

    [Fact]
    public async Task AMissingPrivilegeIsNamed()
    {
        await Park.Edge2.Host.MustAsync(Stop, "chmod", "777", state);
        Check(await RunAsync(Park.Edge2.Host, AgentArguments("edge9", ParkLab.ServerAddress + ":20006"), "setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"),
            1, "CAP_NET_ADMIN", "root");
    }

    [Theory]
    [InlineData("mount -t tmpfs none /usr/sbin", "nft", "apt-get install nftables")]
    [InlineData("mount --bind /dev/null $(ldconfig -p | awk '/libngtcp2.so/ { print $NF; exit }')", "ngtcp2", "apt-get install")]
    [InlineData("echo 'struct { int age, number; const char *text; } v = { 1, 0x000900, \"0.9.0\" }; void *ngtcp2_version(int least) { return &v; }' "
        + "| clang -shared -fPIC -o $STATE/lib.so -x c - && mount --bind $STATE/lib.so $(ldconfig -p | awk '/libngtcp2.so/ { print $NF; exit }')", "0.9.0", "0.12")]
    public async Task WhatIsMissingOrOfAnotherVersionIsNamed(string before, params string[] words)
    {
        CommandResult result = await RunAsync(Park.Edge2.Host, AgentArguments("edge9", ParkLab.ServerAddress),
            "unshare", "-m", "env", $"STATE={state}", "bash", "-c", $"{before} && exec \"$@\"", "bash");
        Check(result, 1, words);
    }

    [Fact]
    public async Task ABrokenManifestIsReportedAndTheLastGoodStateStays()
    {
        string file = Path.Combine(fixture.Mesh.ManifestsOf("edge3"), "video.yaml");
        string good = await File.ReadAllTextAsync(file, Stop);
        LabProcess agent = fixture.Mesh.Agents["edge3"];
        int before = agent.Log().Length;
        try
        {
            await File.WriteAllTextAsync(file, good.Replace("kind: Service", "kind: [Service", StringComparison.Ordinal), Stop);
            await ParkMesh.UntilAsync("the agent reports the broken file", () => Task.FromResult(
                agent.Log()[before..].Contains("video.yaml", StringComparison.Ordinal)), Stop);
            Assert.Matches(@"video\.yaml.*\b[23]\b", agent.Log()[before..]);
            Assert.StartsWith("edge1/", await AskVideoAsync(), StringComparison.Ordinal);
        }
        finally
        {
            await File.WriteAllTextAsync(file, good, CancellationToken.None);
        }
    }

    [Fact]
    public async Task RandomBytesAtEveryPortChangeNothing()
    {
        Random random = new(20061);
        (Host From, string To, ProtocolType Protocol)[] ports =
        [
            (Park.Edge3.Host, $"{ParkLab.ServerAddress}:20006", ProtocolType.Tcp),
            (Park.Edge3.Host, $"{ParkLab.ServerAddress}:20006", ProtocolType.Udp),
            (Park.Edge3.Host, $"{ParkLab.ServerAddress}:20016", ProtocolType.Udp),
            (Park.Edge2.Host, $"{Park.Edge1.Address}:20007", ProtocolType.Udp),
            (Park.Edge1.Pods[1].Host, "169.254.96.16:53", ProtocolType.Udp),
            (Park.Edge1.Pods[1].Host, "169.254.96.16:53", ProtocolType.Tcp),
            (Park.Edge1.Host, "127.0.0.1:20008", ProtocolType.Tcp),
            (Park.Cloud.Host, "127.0.0.1:20009", ProtocolType.Tcp),
        ];
        foreach ((Host from, string to, ProtocolType protocol) in ports)
        {
            string bytes = Path.Combine(state, "bytes");
            for (int i = 0; i < 20; i++)
            {
                byte[] noise = new byte[random.Next(1, 1400)];
                random.NextBytes(noise);
                await File.WriteAllBytesAsync(bytes, noise, Stop);
                await from.RunAsync(Stop, "socat", "-u", "-T1", $"OPEN:{bytes}", $"{(protocol == ProtocolType.Tcp ? "TCP" : "UDP")}:{to}");
            }
        }

        Assert.StartsWith("edge1/", await AskVideoAsync(), StringComparison.Ordinal);
        Assert.False(fixture.Mesh.Server!.HasExited);
        foreach (Node node in Park.Nodes)
        {
            Assert.False(fixture.Mesh.Agents[node.Name].HasExited);
            await fixture.Mesh.ReadyAsync(node, Stop);
        }
    }

    private static void Check(CommandResult result, int status, params string[] words)
    {
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(result.ExitCode == status, $"status {result.ExitCode}: {result.Error}");
        Assert.All(words, word => Assert.Contains(word, lines[^1], StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private Task<string> AskVideoAsync() => Park.Edge3.Pods[0].Host.MustAsync(Stop, "curl", "-sS", "-m", "10", "http://video/");

    private string TokenFileOf(string node) => Path.Combine(Path.GetDirectoryName(fixture.Mesh.StateOf(node))!, node + ".token");

    private Task<string> ServerVerbAsync(params string[] verb) =>
        Park.Cloud.Host.MustAsync(Stop, [ParkFixture.Binary, .. verb, "--state-dir", fixture.Mesh.StateOf("server")]);

    private async Task<string> TokenAsync(params string[] more) =>
        (await ServerVerbAsync(["token", "create", .. more])).Split('\n').First(line => line.StartsWith("emt1.", StringComparison.Ordinal)).Trim();

    private async Task<CommandResult> JoinAsync(string node, string token, string? server = null)
    {
        string file = Path.Combine(state, "token");
        await File.WriteAllTextAsync(file, token + "\n", Stop);
        return await RunAsync(Park.Edge2.Host, [.. AgentArguments(node, server ?? ParkLab.ServerAddress + ":20006"), "--token-file", file]);
    }

    // Ports of its own: edge2's real agent runs beside it.
    private string[] AgentArguments(string node, string server) =>
    [
        "agent", "--node-name", node, "--state-dir", Path.Combine(state, "agent"), "--server", server, "--manifests", fixture.Mesh.ManifestsOf("edge2"),
        "--dns.listen", "127.0.0.1:5353", "--metrics-listen", "off",
    ];

    private Task<CommandResult> RunAsync(Host host, string[] arguments, params string[] before) =>
        host.RunAsync(Stop, [.. before, ParkFixture.Binary, .. arguments]);
}
