using System.Text.Json;
using EdgeMesh.App.Verbs;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.App;

public class CommandLineTests
{
    [Theory]
    [InlineData("agnt", "edgemesh: unknown verb 'agnt'; did you mean 'agent'?")]
    [InlineData("token creat", "edgemesh: unknown verb 'creat'; did you mean 'create'?")]
    [InlineData("agent --nodename x", "edgemesh: unknown option '--nodename' of 'edgemesh agent'; did you mean '--node-name'?")]
    [InlineData("agent --statedir=x", "edgemesh: unknown option '--statedir' of 'edgemesh agent'; did you mean '--state-dir'?")]
    [InlineData("status extra", "edgemesh: 'extra' is one argument too many for 'edgemesh status'")]
    [InlineData("agent --node-name", "edgemesh: Required argument missing for option: '--node-name'")]
    [InlineData("agent", "edgemesh: option --node-name is missing: give --node-name NAME")]
    [InlineData("agent --node-name Edge_1", "edgemesh: --node-name is 'Edge_1', but must be a node name")]
    [InlineData("agent --node-name a --node-name b", "edgemesh: Option '--node-name' expects a single argument but 2 were provided")]
    [InlineData("server --advertise https://x", "edgemesh: --advertise is 'https://x', but must be HOST or HOST:PORT")]
    [InlineData("server --advertise x --relay.agentRate 20", "edgemesh: --relay.agentRate is '20', but must be a rate of at least 8kbit such as 500kbit")]
    [InlineData("server --advertise x --relay.agentRate 20Mbit --relay.totalRate 10Mbit", "edgemesh: --relay.agentRate is '20Mbit', but must be at most --relay.totalRate, 10Mbit")]
    [InlineData("server --advertise x --relay.agentQueue 1KiB", "edgemesh: --relay.agentQueue is '1KiB', but must be an amount such as 512KiB")]
    [InlineData("server --advertise x --relay.maxAgents 0", "edgemesh: --relay.maxAgents is '0', but must be a number from 1")]
    [InlineData("ping", "edgemesh: ")]
    [InlineData("completion tcsh", "edgemesh: no completion for shell 'tcsh'")]
    [InlineData("config check /nonexistent.yaml", "edgemesh: --config /nonexistent.yaml: cannot be read")]
    public async Task AUsageFaultIsOneLineAndStatusTwo(string line, string expected)
    {
        (int status, string output, string error) = await RunAsync(line);
        Assert.Equal((int)MeshExit.Usage, status);
        Assert.Empty(output);
        Assert.StartsWith(expected, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("peers")]
    [InlineData("server status")]
    public async Task WithNobodyRunningTheStatusIsUnreachable(string verb)
    {
        (int status, _, string error) = await RunAsync($"{verb} --state-dir /nonexistent");
        Assert.Equal((int)MeshExit.Unreachable, status);
        Assert.Contains("/nonexistent/", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VersionIsKnownAlsoAsJson()
    {
        (int status, string output, _) = await RunAsync("version --json");
        Assert.Equal(0, status);
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.StartsWith("0.", json.RootElement.GetProperty("version").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HelpNamesTheVerbsAndNoneOfLaterOnes()
    {
        (int status, string output, _) = await RunAsync("--help");
        Assert.Equal(0, status);
        foreach (string verb in new[] { "server", "token", "node", "agent", "status", "peers", "netcheck", "ping", "resolve", "explain", "config", "version", "completion" })
        {
            Assert.Contains($"  {verb} ", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task NoVerbPrintsHelpAndIsAUsageFault()
    {
        (int status, string output, string error) = await RunAsync("");
        Assert.Equal((int)MeshExit.Usage, status);
        Assert.Empty(output);
        Assert.Contains("edgemesh [command]", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node-name: edge1\nserver: mesh.example.org\n", "agent")]
    [InlineData("advertise: [mesh.example.org]\nstate-dir: /var/lib/x\n", "server")]
    public async Task ConfigCheckTellsTheRole(string text, string role)
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, text);
            (int status, string output, string error) = await RunAsync("config check " + file);
            Assert.Equal("", error);
            Assert.Equal(0, status);
            Assert.Contains($"'edgemesh {role}'", output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task ConfigCheckNamesFileLineKeyAndTheNearest()
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "node-name: a\nmanifest: /x\n");
            (int status, _, string error) = await RunAsync("config check " + file);
            Assert.Equal((int)MeshExit.Usage, status);
            Assert.Equal($"edgemesh: {file}:2: unknown key 'manifest'; did you mean 'manifests'?\n", error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task PrintsCompletionScripts(string shell)
    {
        (int status, string output, _) = await RunAsync("completion " + shell);
        Assert.Equal(0, status);
        Assert.Contains("[suggest:", output, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(string line)
    {
        StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int status = await CommandLine.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, error, CancellationToken.None);
        return (status, output.ToString(), error.ToString());
    }
}
