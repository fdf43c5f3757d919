using System.CommandLine;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary>Prints a completion script; the script asks the program itself what may come next.</summary>
internal static class CompletionVerb
{
    private static readonly string[] Shells = ["bash", "fish", "zsh"];

    private const string Bash = """
        _edgemesh() {
            local line="${COMP_LINE}" point="${COMP_POINT}"
            local IFS=$'\n'
            COMPREPLY=( $(edgemesh "[suggest:${point}]" "${line}" 2>/dev/null) )
        }
        complete -o default -F _edgemesh edgemesh
        """;

    private const string Zsh = """
        #compdef edgemesh
        _edgemesh() {
            local -a found
            found=("${(@f)$(edgemesh "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -- "${found[@]}"
        }
        compdef _edgemesh edgemesh
        """;

    private const string Fish = """
        function __edgemesh_complete
            set -l line (commandline -cp)
            edgemesh "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c edgemesh -a '(__edgemesh_complete)'
        """;

    public static Command Build()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, fish or zsh" };
        shell.CompletionSources.Add(Shells);
        Command command = new("completion", "Print a shell completion script, to be sourced.") { shell };
        command.SetAction(result =>
        {
            string name = result.GetValue(shell)!;
            string script = name switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                _ => throw new MeshException(
                    MeshExit.Usage, $"no completion for shell '{name}'{Nearest.Hint(name, Shells)}; there is one for {string.Join(", ", Shells)}"),
            };
            result.Output().WriteLine(script);
            return (int)MeshExit.Done;
        });
        return command;
    }
}
