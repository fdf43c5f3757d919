using System.CommandLine;
using System.Text.Json;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary><c>edgemesh node list|forget|revoke</c>: enrolled nodes, in a server's state directory.</summary>
internal static class NodeVerbs
{
    public static Command Build() => new("node", "Enrolled nodes, in the server's state directory.")
    {
        List(),
        Change("forget", "Free a name, for a node that lost its key.", (registry, node) => registry.ForgetNode(node), "is forgotten: its name is free"),
        Change("revoke", "Refuse a node's key and certificates from now on.", (registry, node) => registry.RevokeNode(node), "is revoked"),
    };

    private static Command List()
    {
        RegistryVerb verb = new("list", "Nodes and their certificates.");
        verb.Run((registry, _, _, json) =>
        {
            NodesReport report = new(
                [.. registry.ListNodes().Select(n => new NodeReport(n.Name.Value, n.EnrolledAt, n.CertificateExpiresAt, n.RevokedAt is not null))]);
            return json ? JsonSerializer.Serialize(report, OpsJson.Default.NodesReport) + "\n" : StatusText.Of(report);
        });
        return verb.Command;
    }

    private static Command Change(string name, string help, Action<EdgeMesh.Server.Registry, NodeName> change, string done)
    {
        RegistryVerb verb = new(name, help);
        Argument<string> argument = new("NAME") { Description = "as 'node list' shows it" };
        verb.Command.Add(argument);
        verb.Run((registry, _, result, json) =>
        {
            string text = result.GetValue(argument)!;
            if (!NodeName.TryParse(text, out NodeName node))
            {
                throw new MeshException(MeshExit.Usage, $"'{text}' is not a node name; 'edgemesh node list' shows the names");
            }

            change(registry, node);
            return json ? "{}\n" : $"node {node} {done}\n";
        });
        return verb.Command;
    }
}
