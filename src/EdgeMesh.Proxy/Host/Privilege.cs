using System.Globalization;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Host;

/// <summary>What this process must be allowed to do, checked before anything is changed.</summary>
internal static class Privilege
{
    private const int CapNetAdmin = 12;

    /// <exception cref="MeshException">The capability or a command is missing.</exception>
    public static void Require()
    {
        if (!HasNetAdmin(File.ReadAllText("/proc/self/status")))
        {
            throw new MeshException(
                MeshExit.Failed,
                "the proxy may not change rules and devices: run the agent as root, or give it CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN CAP_NET_BIND_SERVICE; pod: securityContext.privileged)");
        }

        foreach ((string command, string package) in new[] { ("nft", "nftables"), ("ip", "iproute2") })
        {
            if (Command.Find(command) is null)
            {
                throw new MeshException(MeshExit.Failed, $"{command} is not installed or not on PATH: apt-get install {package}");
            }
        }
    }

    internal static bool HasNetAdmin(string status)
    {
        foreach (ReadOnlySpan<char> line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("CapEff:")
                && ulong.TryParse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong effective))
            {
                return (effective & (1UL << CapNetAdmin)) != 0;
            }
        }

        return false;
    }
}
