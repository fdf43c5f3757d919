using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel;

/// <summary>Puts a <see cref="NetworkCheck"/> together: what the loop knows, and TCP to every port of every server tried now.</summary>
internal static class NetworkChecker
{
    /// <summary>In the first shard's loop only.</summary>
    /// <param name="loop">What to look at.</param>
    /// <param name="mappedPort">What the router maps to ours, and how.</param>
    /// <param name="mtu">The smallest of all direct paths; 0 if there is none.</param>
    public static NetworkCheck Read(TunnelLoop loop, string? mappedPort, int mtu)
    {
        IReadOnlyList<ServerStatus> servers = TunnelReports.Servers(loop);
        HashSet<IPAddress> own = [.. loop.Candidates.Where(c => c.Kind == CandidateKind.Interface).Select(c => c.Address.ToIPAddress())];
        NatMapping mapping = servers.Any(s => s.MapsByDestination) ? NatMapping.DestinationDependent
            : servers.Any(s => s.ObservedAddress is { } seen && own.Contains(seen.Address)) ? NatMapping.None
            : servers.Any(s => s.ObservedAddress is not null) ? NatMapping.EndpointIndependent
            : NatMapping.Unknown;
        return new NetworkCheck(
            loop.PortNumber,
            mapping,
            [.. loop.Candidates.Select(c => $"{c.Address} ({Word(c.Kind)})")],
            loop.Candidates.Any(c => c.Address.Family == 6),
            mappedPort,
            mtu,
            [.. servers.Select(status => new ServerCheck(status, [], null))]);
    }

    public static async Task<ServerCheck> TryAsync(ServerCheck server, int? mark, HttpProxy? proxy, CancellationToken stop)
    {
        ServerAddress address = ServerAddress.Parse(server.Status.Server);
        IPAddress[] hosts = [];
        string? problem = null;
        try
        {
            hosts = await address.ResolveAsync(stop).ConfigureAwait(false);
        }
        catch (SocketException fault)
        {
            problem = fault.Message;
        }

        IEnumerable<Task<ServerPortCheck>> tries = ServerWay.All(address, [.. hosts.Take(4)], proxy).Select(way => TryAsync(way, mark, stop));
        return server with { Fault = problem, Ports = await Task.WhenAll(tries).ConfigureAwait(false) };
    }

    private static async Task<ServerPortCheck> TryAsync(ServerWay way, int? mark, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        try
        {
            using Socket socket = await way.ConnectAsync(mark, stop).ConfigureAwait(false);
            return new ServerPortCheck(way.Target, way.Proxy?.ToString(), Stopwatch.GetElapsedTime(began), null);
        }
        catch (Exception fault) when (fault is SocketException or TimeoutException or IOException)
        {
            return new ServerPortCheck(way.Target, way.Proxy?.ToString(), null, fault.Message);
        }
    }

    private static string Word(CandidateKind kind) => kind switch
    {
        CandidateKind.Interface => "interface",
        CandidateKind.ServerReflexive => "seen by a server",
        CandidateKind.HardReflexive => "seen by a server, for that server only",
        CandidateKind.PortMapped => "mapped by the router",
        _ => "configured",
    };
}
