using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace EdgeMesh.Kube;

/// <summary>
/// A bearer token: none, fixed, in a file that rotates (ServiceAccount tokens, read again every minute), or from a program
/// (<c>client.authentication.k8s.io</c> exec credentials). Never in a log.
/// </summary>
internal sealed class TokenSource
{
    public static readonly TokenSource None = new(static _ => ValueTask.FromResult<(string?, DateTimeOffset)>((null, DateTimeOffset.MaxValue)));

    private static readonly TimeSpan FileAge = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ExecPatience = TimeSpan.FromSeconds(30);
    private readonly Func<CancellationToken, ValueTask<(string? Token, DateTimeOffset Until)>> read;
    private string? token;
    private DateTimeOffset until = DateTimeOffset.MinValue;

    private TokenSource(Func<CancellationToken, ValueTask<(string? Token, DateTimeOffset Until)>> read) => this.read = read;

    public static TokenSource Fixed(string text) => new(_ => ValueTask.FromResult<(string?, DateTimeOffset)>((text, DateTimeOffset.MaxValue)));

    public static TokenSource File(string path) => new(async stop =>
        ((await System.IO.File.ReadAllTextAsync(path, stop).ConfigureAwait(false)).Trim(), DateTimeOffset.UtcNow + FileAge));

    public static TokenSource Exec(string command, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string apiVersion) =>
        new(stop => RunAsync(command, arguments, environment, apiVersion, stop));

    /// <exception cref="IOException">It cannot be had.</exception>
    public async ValueTask<string?> GetAsync(CancellationToken stop)
    {
        if (DateTimeOffset.UtcNow >= until)
        {
            (token, until) = await read(stop).ConfigureAwait(false);
        }

        return token;
    }

    /// <summary>The API has refused it: the next one is read anew.</summary>
    public void Forget() => until = DateTimeOffset.MinValue;

    private static async ValueTask<(string? Token, DateTimeOffset Until)> RunAsync(
        string command, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string apiVersion, CancellationToken stop)
    {
        ProcessStartInfo start = new(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string key, string value) in environment)
        {
            start.Environment[key] = value;
        }

        start.Environment["KUBERNETES_EXEC_INFO"] = $$$"""{"apiVersion":"{{{apiVersion}}}","kind":"ExecCredential","spec":{"interactive":false}}""";
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(ExecPatience);
        try
        {
            using Process process = Process.Start(start) ?? throw new IOException($"exec credential program {command} did not start");
            Task<string> complaint = process.StandardError.ReadToEndAsync(limit.Token);
            string output = await process.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            if (process.ExitCode != 0)
            {
                throw new IOException($"exec credential program {command} ended with {process.ExitCode}: {(await complaint.ConfigureAwait(false)).Trim()}");
            }

            Datum status = JsonReader.Read(Encoding.UTF8.GetBytes(output), new StringPool(16), countLines: false)["status"];
            string token = status["token"] is { Kind: DatumKind.String } given ? given.Text : throw new IOException($"exec credential program {command} gave no token");
            return (token, DateTimeOffset.TryParse(status["expirationTimestamp"].Text, CultureInfo.InvariantCulture, out DateTimeOffset end)
                ? end - TimeSpan.FromMinutes(1)
                : DateTimeOffset.MaxValue);
        }
        catch (Exception fault) when (fault is System.ComponentModel.Win32Exception or DocumentException)
        {
            throw new IOException($"exec credential program {command}: {fault.Message}", fault);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new IOException($"exec credential program {command} did not end within {ExecPatience.TotalSeconds} s");
        }
    }
}
