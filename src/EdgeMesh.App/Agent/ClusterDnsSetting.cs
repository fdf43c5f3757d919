using System.Net;

namespace EdgeMesh.App.Agent;

/// <summary>Which DNS servers the node's kubelet gives its pods: <c>clusterDNS</c> in the file of KubeEdge's edgecore or of the kubelet.</summary>
internal static class ClusterDnsSetting
{
    private static readonly string[] Files = ["/etc/kubeedge/config/edgecore.yaml", "/var/lib/kubelet/config.yaml"];

    public static (string? File, IReadOnlyList<IPAddress> Servers) Read()
    {
        foreach (string file in Files)
        {
            try
            {
                if (File.Exists(file) && Parse(File.ReadAllText(file)) is { Count: > 0 } servers)
                {
                    return (file, servers);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not readable: nothing is known, nothing is said.
            }
        }

        return (null, []);
    }

    internal static IReadOnlyList<IPAddress> Parse(string yaml)
    {
        List<IPAddress> found = [];
        bool isInside = false;
        foreach (string raw in yaml.Split('\n'))
        {
            string line = raw.Trim();
            if (line.StartsWith("clusterDNS:", StringComparison.Ordinal))
            {
                isInside = true;
                line = line["clusterDNS:".Length..];
            }
            else if (!line.StartsWith('-'))
            {
                isInside = false;
            }

            if (isInside)
            {
                found.AddRange(line.Split(['-', '[', ']', ',', ' ', '"', '\''], StringSplitOptions.RemoveEmptyEntries)
                    .Select(w => IPAddress.TryParse(w, out IPAddress? a) ? a : null).OfType<IPAddress>());
            }
        }

        return found;
    }
}
