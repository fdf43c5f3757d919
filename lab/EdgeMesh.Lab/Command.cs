using System.Diagnostics;

namespace EdgeMesh.Lab;

/// <summary>What a command printed and how it ended.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;
}

/// <summary>Runs programs to their end.</summary>
public static class Command
{
    public static async Task<CommandResult> RunAsync(string program, IReadOnlyList<string> arguments, string? input, CancellationToken stop)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using Process process = Process.Start(start) ?? throw new LabException($"{program} did not start");
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(stop);
            Task<string> error = process.StandardError.ReadToEndAsync(stop);
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), stop);
            }

            process.StandardInput.Close();
            string printed = await output;
            string complaint = await error;
            await process.WaitForExitAsync(stop);
            return new CommandResult(process.ExitCode, printed, complaint);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <exception cref="LabException">The command failed.</exception>
    public static async Task<string> MustAsync(string program, IReadOnlyList<string> arguments, string? input, CancellationToken stop)
    {
        CommandResult result = await RunAsync(program, arguments, input, stop);
        return result.Succeeded
            ? result.Output
            : throw new LabException($"{program} {string.Join(' ', arguments)}: exit {result.ExitCode}: {result.Error.Trim()}{(input is null ? "" : "\n" + input)}");
    }
}
