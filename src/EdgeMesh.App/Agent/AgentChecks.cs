using EdgeMesh.App.Host;
using EdgeMesh.Model;
using EdgeMesh.Quic;

namespace EdgeMesh.App.Agent;

/// <summary>What an agent needs of the machine, looked at before anything of it is changed.</summary>
internal static class AgentChecks
{
    private static readonly string[] BinFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Returns the names and versions of the native libraries.</summary>
    /// <exception cref="MeshException">Something is missing; the message says what and how to mend it.</exception>
    public static string Run(AgentOptions options)
    {
        RequirePrivilege(options);
        RequireCommand("nft", "nftables", Environment.GetEnvironmentVariable("PATH"));
        if (options.Manifests is { } manifests && !Directory.Exists(manifests))
        {
            throw new MeshException(MeshExit.Usage, $"--manifests {manifests} is not a directory: make it or give the right one");
        }

        try
        {
            return QuicLibrary.EnsureLoaded();
        }
        catch (QuicUnavailableException e)
        {
            throw new MeshException(MeshExit.Failed, e.Message, e);
        }
    }

    public static void RequirePrivilege(AgentOptions options)
    {
        if (!Capabilities.Has(Capabilities.NetAdmin))
        {
            throw new MeshException(
                MeshExit.Failed,
                "the agent lacks CAP_NET_ADMIN, which it needs for nftables rules and the device edgemesh0: run it as root or give the container that capability");
        }

        if (options.DnsListen.FirstOrDefault(e => e.Port < 1024) is { } low && !Capabilities.Has(Capabilities.NetBindService))
        {
            throw new MeshException(
                MeshExit.Failed,
                $"the agent lacks CAP_NET_BIND_SERVICE, which DNS on {low} needs: run it as root, give that capability, or a port above 1023 with {AgentSettings.DnsListen.Flag}");
        }
    }

    internal static void RequireCommand(string command, string package, string? path)
    {
        IEnumerable<string> folders = (path ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(BinFolders);
        if (!folders.Any(f => File.Exists(Path.Combine(f, command))))
        {
            throw new MeshException(
                MeshExit.Failed, $"the command '{command}' is missing, with which the agent writes its rules: apt-get install {package}");
        }
    }
}
