using System.Diagnostics;
using System.Net;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>BIND's resolver as the judge of our answers.</summary>
internal static class Dig
{
    public static async Task<string> RunAsync(IPEndPoint server, params IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new("dig") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[$"@{server.Address}", "-p", $"{server.Port}", "+tries=2", "+time=5", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using Process dig = Process.Start(start)!;
        string text = await dig.StandardOutput.ReadToEndAsync();
        await dig.WaitForExitAsync();
        return text;
    }
}
