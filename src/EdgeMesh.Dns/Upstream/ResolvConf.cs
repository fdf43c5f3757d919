using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Dns;

/// <summary>The name servers of a resolv.conf(5).</summary>
internal static class ResolvConf
{
    public const string DefaultPath = "/etc/resolv.conf";

    private const int Port = 53;

    public static ImmutableArray<IPEndPoint> Parse(string text)
    {
        ImmutableArray<IPEndPoint>.Builder servers = ImmutableArray.CreateBuilder<IPEndPoint>();
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[0] == "nameserver" && IPAddress.TryParse(words[1], out IPAddress? address))
            {
                IPEndPoint server = new(address, Port);
                if (!servers.Contains(server))
                {
                    servers.Add(server);
                }
            }
        }

        return servers.DrainToImmutable();
    }
}
