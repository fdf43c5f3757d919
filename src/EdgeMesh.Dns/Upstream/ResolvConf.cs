using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Dns;

/// <summary>Name servers and search list of a resolv.conf(5).</summary>
internal static class ResolvConf
{
    public const string DefaultPath = "/etc/resolv.conf";

    private const int Port = 53;

    // glibc since 2.26 has no limit, Kubernetes has 32.
    private const int MaxSearch = 32;

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

    /// <summary>The search list: of several <c>search</c> and <c>domain</c> lines the last one counts.</summary>
    public static ImmutableArray<string> ParseSearch(string text)
    {
        ImmutableArray<string> search = [];
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[0] is ("search" or "domain"))
            {
                search = [.. words.Skip(1).Take(MaxSearch).Select(word => word.TrimEnd('.')).Where(word => word.Length > 0)];
            }
        }

        return search;
    }
}
