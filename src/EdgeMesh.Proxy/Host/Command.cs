using System.ComponentModel;
using System.Diagnostics;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Host;

/// <summary>What a command printed and how it ended.</summary>
internal readonly record struct CommandResult(int ExitCode, string Output, string Errors, int ProcessId)
{
    public bool Succeeded => ExitCode == 0;

    public string FirstError => Errors.AsSpan().Trim().ToString() is { Length: > 0 } text ? text.Split('\n')[0] : $"exit status {ExitCode}";
}

/// <summary>Runs nft, ip and conntrack: the interfaces their projects support.</summary>
internal static class Command
{
    private static readonly Dictionary<string, string> Packages = new()
    {
        ["nft"] = "nftables",
        ["ip"] = "iproute2",
        ["conntrack"] = "conntrack",
        ["unshare"] = "util-linux",
    };

    /// <exception cref="MeshException">The command is not installed.</exception>
    public static async Task<CommandResult> RunAsync(string name, string[] arguments, string? input, CancellationToken stop)
    {
        ProcessStartInfo start = new(name, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["LC_ALL"] = "C";

        // Service managers often start programs without the sbin directories, where these commands live.
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin:/usr/local/sbin";
        start.FileName = Find(name) ?? name;
        try
        {
            using Process process = Process.Start(start) ?? throw new MeshException(MeshExit.Failed, $"{name} did not start");
            try
            {
                int id = process.Id;
                Task<string> output = process.StandardOutput.ReadToEndAsync(stop);
                Task<string> errors = process.StandardError.ReadToEndAsync(stop);
                try
                {
                    if (input is not null)
                    {
                        await process.StandardInput.WriteAsync(input.AsMemory(), stop).ConfigureAwait(false);
                    }

                    process.StandardInput.Close();
                }
                catch (IOException)
                {
                    // It ended before it read everything; its own message says why.
                }

                await process.WaitForExitAsync(stop).ConfigureAwait(false);
                return new CommandResult(process.ExitCode, await output.ConfigureAwait(false), await errors.ConfigureAwait(false), id);
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }
            }
        }
        catch (Win32Exception e)
        {
            throw new MeshException(
                MeshExit.Failed, $"{name} is not installed or not on PATH: apt-get install {Packages.GetValueOrDefault(name, name)}", e);
        }
    }

    /// <returns>Null: not installed.</returns>
    public static string? Find(string name)
    {
        string path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin:/usr/local/sbin";
        foreach (string directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string file = Path.Combine(directory, name);
            if (File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }
}
