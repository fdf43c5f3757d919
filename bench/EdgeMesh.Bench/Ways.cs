using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>
/// All ways of the report, in one park: the mesh's paths, and beside each the same two pods without a mesh (published ports, as
/// <c>docker run -p</c> makes them, forwarded by the NAT router) and through a pair of TLS forwarders.
/// </summary>
internal sealed class Ways(ParkLab park, ParkMesh mesh)
{
    private const int Published = 30_000;
    private const int TlsDial = 40_000;
    private const int TlsListen = 50_000;
    private static readonly ParkService Local = new("local", "10.96.0.21", ("edge1", "172.17.0.2"));
    private static readonly int[] TcpPorts = [ParkServices.HttpPort, ParkServices.TcpEchoPort, ParkServices.IperfPort];
    private readonly List<LabProcess> tlsLan = [];
    private readonly List<LabProcess> tlsWan = [];

    public async Task<IReadOnlyList<Way>> SetUpAsync(CancellationToken stop)
    {
        await PublishAsync(stop);
        Forward("lan", park.Edge2, park.Edge1.Address, tlsLan);
        Forward("wan", park.Edge3, park.NatA.WanAddress, tlsWan);
        foreach (Node node in park.Nodes)
        {
            await File.WriteAllTextAsync(Path.Combine(mesh.ManifestsOf(node.Name), "local.yaml"), ParkServices.Yaml(Local), stop);
        }

        Pod same = park.Edge1.Pods[1];
        Pod lan = park.Edge2.Pods[1];
        Pod wan = park.Edge3.Pods[1];
        string video = ParkServices.Video.ClusterIP;
        return
        [
            new("same node", "no mesh", same, "172.17.0.2", port => port, () => [], Nothing),
            new("same node", "mesh, kernel", same, Local.ClusterIP, port => port, () => [Agent("edge1")], Nothing),
            new("same LAN", "no mesh", lan, park.Edge1.Address, port => Published + port, () => [], Nothing),
            new("same LAN", "TLS over TCP", lan, "172.17.0.1", port => TlsDial + port, () => tlsLan, Nothing, HasUdp: false),
            new("same LAN", "mesh, LAN", lan, video, port => port, () => [Agent("edge1"), Agent("edge2")],
                stop => FreshAsync(park.Edge2, "LAN", () => Task.CompletedTask, stop)),
            new("across two NATs", "no mesh", wan, park.NatA.WanAddress, port => Published + port, () => [], Nothing),
            new("across two NATs", "TLS over TCP", wan, "172.17.0.1", port => TlsDial + port, () => tlsWan, Nothing, HasUdp: false),
            new("across two NATs", "mesh, direct", wan, video, port => port, () => [Agent("edge1"), Agent("edge3")],
                stop => FreshAsync(park.Edge3, "direct", () => Task.CompletedTask, stop)),
            new("across two NATs", "mesh, relay UDP", wan, video, port => port, () => [Agent("edge1"), Agent("edge3"), mesh.Server!],
                stop => FreshAsync(park.Edge3, "relay UDP", () => park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop), stop)),
            new("across two NATs", "mesh, relay TLS", wan, video, port => port, () => [Agent("edge1"), Agent("edge3"), mesh.Server!],
                stop => FreshAsync(park.Edge3, "relay TLS", () => park.NatB.BlockUdpAsync(stop), stop)),
        ];
    }

    public async Task HealAsync(CancellationToken stop)
    {
        await park.NatA.UnblockUdpWithAsync(stop);
        await park.NatB.UnblockUdpAsync(stop);
    }

    private static Task Nothing(CancellationToken stop) => Task.CompletedTask;

    private LabProcess Agent(string node) => mesh.Agents[node];

    /// <summary>Both agents anew, the network as the way wants it, and one request, so that the path is there.</summary>
    private async Task FreshAsync(Node client, string path, Func<Task> act, CancellationToken stop)
    {
        await HealAsync(stop);
        await act();
        foreach (Node node in (Node[])[park.Edge1, client])
        {
            Agent(node.Name).Signal("TERM");
            await Agent(node.Name).ExitAsync(stop);
            await mesh.StartAgentAsync(node, stop);
        }

        await mesh.ReadyAsync(park.Edge1, stop);
        await mesh.ReadyAsync(client, stop);
        await ParkMesh.UntilAsync($"{client.Name} reaches edge1 by {path}", async () =>
            (await client.Pods[1].Host.RunAsync(stop, "curl", "-sf", "-m", "5", $"http://{ParkServices.Video.ClusterIP}/")).Succeeded
            && await mesh.PeerPathAsync(client, "edge1", stop) == path, stop);
    }

    private async Task PublishAsync(CancellationToken stop)
    {
        string pod = park.Edge1.Pods[0].Address;
        string Rules(Func<int, string> to, IEnumerable<int> bases) => string.Join('\n', bases.SelectMany(first =>
            TcpPorts.Select(port => $"tcp dport {first + port} dnat to {to(first + port)}")
                .Append($"udp dport {first + ParkServices.UdpEchoPort} dnat to {to(first + ParkServices.UdpEchoPort)}")));
        await park.Edge1.Host.NftAsync($$"""
            table ip published {
              chain prerouting { type nat hook prerouting priority -110; iifname != "eth0" return
                {{Rules(port => $"{pod}:{port - Published}", [Published])}}
              }
            }
            """, stop);
        await park.NatA.Host.NftAsync($$"""
            table ip published {
              chain prerouting { type nat hook prerouting priority -110; iifname != "wan0" return
                {{Rules(port => $"{park.Edge1.Address}:{port}", [Published, TlsListen])}}
              }
            }
            insert rule ip nat forward ct status dnat accept
            """, stop);
    }

    private void Forward(string title, Node client, string address, List<LabProcess> processes)
    {
        string bench = Path.Combine(AppContext.BaseDirectory, "edgemesh-bench");
        foreach (int port in TcpPorts)
        {
            processes.Add(client.Host.Start($"tls-{title}-dial-{port}", [bench, "tls-dial", $"172.17.0.1:{TlsDial + port}", $"{address}:{TlsListen + port}"]));
            if (title == "lan")
            {
                tlsWan.Add(park.Edge1.Host.Start($"tls-listen-{port}", [bench, "tls-listen", $"{park.Edge1.Address}:{TlsListen + port}", $"{park.Edge1.Pods[0].Address}:{port}"]));
                processes.Add(tlsWan[^1]);
            }
        }
    }
}
