using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Udp;

/// <summary>
/// A UDP client that never pauses keeps its conntrack entry, and with it its old endpoint, for ever. nftables cannot delete
/// entries, so this is the one place that uses the conntrack command; without it such a client moves when it pauses.
/// </summary>
internal static class ConntrackSweep
{
    /// <summary>Entries to delete, as one command line for each Service port and endpoint.</summary>
    internal readonly record struct Stale(IPAddress Service, ushort Port, IPAddress From, ushort FromPort);

    public static bool IsAvailable => Command.Find("conntrack") is not null;

    /// <param name="isCurrent">Null: the address and port are not (and were not) a Service. Else whether packets may go to that endpoint.</param>
    /// <param name="stop">Stops between commands.</param>
    public static async Task<int> RunAsync(Func<PortKey, IPEndPoint, bool?> isCurrent, CancellationToken stop)
    {
        CommandResult list = await Command.RunAsync("conntrack", ["-L", "-p", "udp"], null, stop).ConfigureAwait(false);
        HashSet<Stale> stale = Find(list.Output, isCurrent);
        foreach (Stale entry in stale)
        {
            await Command.RunAsync(
                "conntrack",
                [
                    "-D", "-p", "udp", "--orig-dst", entry.Service.ToString(), "--orig-port-dst", $"{entry.Port}",
                    "--reply-src", entry.From.ToString(), "--reply-port-src", $"{entry.FromPort}",
                ],
                null,
                stop).ConfigureAwait(false);
        }

        return stale.Count;
    }

    /// <summary>Reads lines of <c>conntrack -L</c>: the original direction's addresses, then the reply's.</summary>
    internal static HashSet<Stale> Find(string listing, Func<PortKey, IPEndPoint, bool?> isCurrent)
    {
        HashSet<Stale> found = [];
        foreach (string line in listing.Split('\n'))
        {
            IPAddress? destination = null;
            IPAddress? source = null;
            ushort destinationPort = 0;
            ushort sourcePort = 0;
            int sources = 0;
            foreach (string field in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (field.StartsWith("src=", StringComparison.Ordinal))
                {
                    sources++;
                    source = Address(field.AsSpan(4));
                }
                else if (sources == 1 && field.StartsWith("dst=", StringComparison.Ordinal))
                {
                    destination = Address(field.AsSpan(4));
                }
                else if (sources == 1 && field.StartsWith("dport=", StringComparison.Ordinal))
                {
                    destinationPort = Port(field.AsSpan(6));
                }
                else if (sources == 2 && field.StartsWith("sport=", StringComparison.Ordinal))
                {
                    sourcePort = Port(field.AsSpan(6));
                }
            }

            if (sources == 2 && destination is not null && source is not null
                && isCurrent(new PortKey(destination, TransportProtocol.Udp, destinationPort), new IPEndPoint(source, sourcePort)) == false)
            {
                found.Add(new Stale(destination, destinationPort, source, sourcePort));
            }
        }

        return found;
    }

    private static IPAddress? Address(ReadOnlySpan<char> text) => IPAddress.TryParse(text, out IPAddress? address) ? address : null;

    private static ushort Port(ReadOnlySpan<char> text) => ushort.TryParse(text, out ushort port) ? port : (ushort)0;
}
