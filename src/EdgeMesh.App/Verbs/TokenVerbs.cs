using System.CommandLine;
using System.Text.Json;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;
using EdgeMesh.Server;

namespace EdgeMesh.App.Verbs;

/// <summary><c>edgemesh token create|list|revoke</c>: join tokens, in a server's state directory.</summary>
internal static class TokenVerbs
{
    private static readonly Setting Node = Setting.Text("node", "NAME", "The only node that may use it (default: any).");
    private static readonly Setting Ttl = Setting.Text("ttl", "TIME", "How long it is good: 90s, 30m, 24h (default), 7d.");
    private static readonly Setting Uses = Setting.Text("uses", "N", "How many nodes may join with it (default 1).");

    private static readonly Setting ForServer = Setting.Switch("for-server", "For a server that joins this one, not for nodes.");

    public static Command Build() => new("token", "Join tokens, in the server's state directory.") { Create(), List(), Revoke() };

    private static Command Create()
    {
        RegistryVerb verb = new("create", "Print a new join token; this is the only time it is shown.", Node, Ttl, Uses, ForServer);
        verb.Run((registry, values, _, json) =>
        {
            NodeName? node = values.Text(Node) is { } name ? values.Node(Node, name) : null;
            bool forServer = values.Switch(ForServer);
            if (forServer && node is not null)
            {
                throw new MeshException(MeshExit.Usage, "--for-server and --node exclude each other: a server is no node");
            }

            NewToken token = registry.CreateToken(node, values.Duration(Ttl, TimeSpan.FromHours(24)), values.Int(Uses, 1, 1, 100_000), forServer);
            CreatedTokenReport report = new(
                token.Info.Id, token.Text, token.Info.Node?.Value, token.Info.ExpiresAt, token.Info.MaxUses);

            // Nothing but the token, so that it can be sent to a file.
            return json ? JsonSerializer.Serialize(report, OpsJson.Default.CreatedTokenReport) + "\n" : token.Text + "\n";
        });
        return verb.Command;
    }

    private static Command List()
    {
        RegistryVerb verb = new("list", "Tokens without their secrets, and which are still good.");
        verb.Run((registry, _, _, json) =>
        {
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            TokensReport report = new([.. registry.ListTokens().Select(t => Report(t, now))]);
            return json ? JsonSerializer.Serialize(report, OpsJson.Default.TokensReport) + "\n" : StatusText.Of(report);
        });
        return verb.Command;
    }

    private static Command Revoke()
    {
        RegistryVerb verb = new("revoke", "End a token; nodes that joined with it stay.");
        Argument<string> id = new("ID") { Description = "as 'token list' shows it" };
        verb.Command.Add(id);
        verb.Run((registry, _, result, json) =>
        {
            string name = result.GetValue(id)!;
            registry.RevokeToken(name);
            return json ? "{}\n" : $"token {name} is revoked\n";
        });
        return verb.Command;
    }

    private static TokenReport Report(TokenInfo token, DateTimeOffset now)
    {
        int left = Math.Max(0, token.MaxUses - token.Uses);
        string state = now >= token.ExpiresAt ? "expired" : left == 0 ? "used-up" : "good";
        return new TokenReport(token.Id, token.Node?.Value, token.ExpiresAt, left, state);
    }
}
