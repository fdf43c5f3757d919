using System.CommandLine;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary>The tree of verbs. Every fault is one line on standard error and an exit status (<see cref="MeshExit"/>).</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken stop)
    {
        try
        {
            RootCommand root = Build();
            ParseResult result = root.Parse(args);
            if (args.Length == 0)
            {
                await root.Parse(["--help"]).InvokeAsync(Invocation(error, error), stop).ConfigureAwait(false);
                return (int)MeshExit.Usage;
            }

            if (result.Errors.Count > 0 && result.Action is not System.CommandLine.Help.HelpAction)
            {
                throw Fault(result);
            }

            return await result.InvokeAsync(Invocation(output, error), stop).ConfigureAwait(false);
        }
        catch (MeshException e)
        {
            await error.WriteLineAsync("edgemesh: " + e.Message).ConfigureAwait(false);
            return (int)e.Exit;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A fault of ours: here the stack trace is what helps.
            await error.WriteLineAsync("edgemesh: unexpected fault, please report it: " + e).ConfigureAwait(false);
            return (int)MeshExit.Failed;
        }
    }

    public static RootCommand Build()
    {
        RootCommand root = new("Kubernetes Services across nodes behind NATs: DNS, load balancing and an encrypted mesh, in one program.")
        {
            HelpName = "edgemesh",
        };
        foreach (Option version in root.Options.Where(o => o is VersionOption).ToList())
        {
            // 'edgemesh version' says more.
            root.Options.Remove(version);
        }

        root.Add(ServerVerb.Build());
        root.Add(TokenVerbs.Build());
        root.Add(NodeVerbs.Build());
        root.Add(AgentVerb.Build());
        foreach (Command verb in OperatorVerbs.Build())
        {
            root.Add(verb);
        }

        root.Add(ConfigVerbs.Build());
        root.Add(VersionVerb.Build());
        root.Add(CompletionVerb.Build());
        return root;
    }

    // The program handles signals itself, and shows its own faults.
    private static InvocationConfiguration Invocation(TextWriter output, TextWriter error) => new()
    {
        Output = output,
        Error = error,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    };

    private static MeshException Fault(ParseResult result)
    {
        Command command = result.CommandResult.Command;
        string help = $"(see '{Path(result.CommandResult)} --help')";
        if (result.UnmatchedTokens.FirstOrDefault(t => t.StartsWith('-')) is { } option)
        {
            string name = option.Split('=')[0];
            return Usage($"unknown option '{name}' of '{Path(result.CommandResult)}'"
                + $"{Nearest.Hint(name, command.Options.Select(o => o.Name))} {help}");
        }

        if (result.UnmatchedTokens.Count > 0 && command.Subcommands.Count > 0)
        {
            string verb = result.UnmatchedTokens[0];
            return Usage($"unknown verb '{verb}'{Nearest.Hint(verb, command.Subcommands.Select(c => c.Name))} {help}");
        }

        if (result.UnmatchedTokens.Count > 0)
        {
            return Usage($"'{result.UnmatchedTokens[0]}' is one argument too many for '{Path(result.CommandResult)}' {help}");
        }

        return Usage($"{result.Errors[0].Message.TrimEnd('.')} {help}");
    }

    private static MeshException Usage(string message) => new(MeshExit.Usage, message);

    private static string Path(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult parent
            ? Path(parent) + " " + result.Command.Name
            : "edgemesh";
}
