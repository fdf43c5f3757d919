using EdgeMesh.Proxy;

namespace EdgeMesh.App.Agent;

/// <summary><c>edgemesh agent --cleanup</c>: removes rules, device and routes that an agent left behind.</summary>
internal static class AgentCleanup
{
    public static async Task RunAsync(AgentOptions options, TextWriter output, CancellationToken stop)
    {
        AgentChecks.RequirePrivilege(options);
        AgentChecks.RequireCommand("nft", "nftables", Environment.GetEnvironmentVariable("PATH"));
        IReadOnlyList<string> removed = await ProxyCleanup.RunAsync(options.ToProxy(), stop).ConfigureAwait(false);
        foreach (string line in removed)
        {
            await output.WriteLineAsync("removed " + line).ConfigureAwait(false);
        }

        if (removed.Count == 0)
        {
            await output.WriteLineAsync("nothing to remove").ConfigureAwait(false);
        }
    }
}
