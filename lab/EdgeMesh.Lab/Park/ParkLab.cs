using System.Security.Cryptography;

namespace EdgeMesh.Lab;

/// <summary>
/// One park with many subnets: <c>cloud</c> on the internet (the server and an agent), <c>edge1</c> and <c>edge2</c> behind NAT A, <c>edge3</c>
/// behind NAT B; the cloud's data centre and the two sites are different networks of the internet. Every node has the pods 172.17.0.2 and 172.17.0.3: the same addresses everywhere. All are private to the lab.
/// </summary>
public sealed class ParkLab : IAsyncDisposable
{
    public const string ServerAddress = "203.0.113.10";
    public const int BigFileMegabytes = 100;

    private ParkLab(Lab lab) => Lab = lab;

    public Lab Lab { get; }

    public Switch Internet { get; private set; } = null!;

    public Router NatA { get; private set; } = null!;

    public Router NatB { get; private set; } = null!;

    public Node Cloud { get; private set; } = null!;

    public Node Edge1 { get; private set; } = null!;

    public Node Edge2 { get; private set; } = null!;

    public Node Edge3 { get; private set; } = null!;

    public IReadOnlyList<Node> Nodes => [Cloud, Edge1, Edge2, Edge3];

    /// <summary>SHA-256 (hex, lower case) of <c>/big</c>, which every pod serves.</summary>
    public string BigFileHash { get; private set; } = "";

    /// <summary>What lies between site B and the internet, if <see cref="CreateAsync"/> was asked for it.</summary>
    public Wire? FarB { get; private set; }

    /// <param name="natA">Router of edge1 and edge2.</param>
    /// <param name="natB">Router of edge3.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <param name="keep">Leave it up.</param>
    /// <param name="farB">Delay, loss and rate of site B's line.</param>
    public static async Task<ParkLab> CreateAsync(NatKind natA, NatKind natB, CancellationToken stop, bool keep = false, Shape? farB = null)
    {
        ParkLab park = new(await Lab.CreateAsync(stop));
        park.Lab.Keep = keep;
        try
        {
            await park.BuildAsync(natA, natB, farB, stop);
            return park;
        }
        catch
        {
            await park.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => Lab.DisposeAsync();

    /// <summary>Writes the park's manifests into a directory; every agent reads its own copy.</summary>
    public async Task WriteManifestsAsync(string directory, CancellationToken stop)
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "nodes.yaml"), string.Join("---\n", Nodes.Select(ParkServices.Yaml)), stop);
        foreach (ParkService service in ParkServices.All)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, $"{service.Name}.yaml"), ParkServices.Yaml(service), stop);
        }
    }

    private async Task BuildAsync(NatKind natA, NatKind natB, Shape? farB, CancellationToken stop)
    {
        Internet = await Lab.AddSwitchAsync("internet", stop);
        Switch dataCentre = new(Internet.Host, "br1");
        await Internet.Host.IpAsync(
            ["addr add 198.51.100.1/24 dev br0", "link add br1 type bridge", "addr add 203.0.113.1/24 dev br1", "link set br1 up"], stop);
        await Internet.Host.SysctlAsync("net.ipv4.ip_forward", "1", stop);
        NatA = await Lab.AddRouterAsync("natA", Internet, "198.51.100.21/24", "10.0.1.1/24", natA, stop, "198.51.100.1");
        Switch atB = Internet;
        if (farB is { } shape)
        {
            atB = await Lab.AddSwitchAsync("far", stop);
            FarB = await Lab.WireAsync("line", Internet, atB, shape, stop);
        }

        NatB = await Lab.AddRouterAsync("natB", atB, "198.51.100.22/24", "10.0.2.1/24", natB, stop, "198.51.100.1");
        Cloud = await Lab.AddNodeAsync("cloud", dataCentre, ServerAddress + "/24", "203.0.113.1", stop);
        Edge1 = await Lab.AddNodeAsync("edge1", NatA.Lan, "10.0.1.11/24", "10.0.1.1", stop);
        Edge2 = await Lab.AddNodeAsync("edge2", NatA.Lan, "10.0.1.12/24", "10.0.1.1", stop);
        Edge3 = await Lab.AddNodeAsync("edge3", NatB.Lan, "10.0.2.13/24", "10.0.2.1", stop);
        string site = await MakeSiteAsync(stop);
        foreach (Node node in Nodes)
        {
            await Traffic.CountAsync(node.Host, node.Address[..node.Address.LastIndexOf('.')] + ".0/24", stop);
            foreach ((string name, string address) in ((string, string)[])[("a", "172.17.0.2"), ("b", "172.17.0.3")])
            {
                Pod pod = await node.AddPodAsync(name, address, stop);
                Serve(pod, site);
            }
        }
    }

    private async Task<string> MakeSiteAsync(CancellationToken stop)
    {
        string site = Path.Combine(Lab.Directory, "site");
        Directory.CreateDirectory(site);
        byte[] chunk = new byte[1024 * 1024];
        Random random = new(20261123);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (FileStream big = File.Create(Path.Combine(site, "big")))
        {
            for (int i = 0; i < BigFileMegabytes; i++)
            {
                random.NextBytes(chunk);
                hash.AppendData(chunk);
                await big.WriteAsync(chunk, stop);
            }
        }

        BigFileHash = Convert.ToHexStringLower(hash.GetHashAndReset());
        return site;
    }

    private void Serve(Pod pod, string site)
    {
        string root = Path.Combine(Lab.Directory, $"{pod.Node.Name}-{pod.Name}");
        Directory.CreateDirectory(root);
        File.WriteAllText(Path.Combine(root, "index.html"), $"{pod.Node.Name}/{pod.Name}\n");
        File.CreateSymbolicLink(Path.Combine(root, "big"), Path.Combine(site, "big"));
        string configuration = Path.Combine(root, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{root}}/nginx.pid;
            error_log {{root}}/error.log;
            events { worker_connections 8192; }
            http {
              access_log off;
              sendfile on;
              keepalive_requests 100000000;
              client_body_temp_path {{root}}/t1; proxy_temp_path {{root}}/t2; fastcgi_temp_path {{root}}/t3; uwsgi_temp_path {{root}}/t4; scgi_temp_path {{root}}/t5;
              server { listen {{ParkServices.HttpPort}} backlog=4096; root {{root}}; }
            }
            """);
        pod.Host.Start("nginx", ["nginx", "-c", configuration]);
        pod.Host.Start("iperf3", ["iperf3", "-s", "-p", $"{ParkServices.IperfPort}"]);
        string tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");
        pod.Host.Start("echo-tcp", [tool, "echo-tcp", $"0.0.0.0:{ParkServices.TcpEchoPort}"]);
        pod.Host.Start("echo-udp", [tool, "echo-udp", $"0.0.0.0:{ParkServices.UdpEchoPort}"]);
    }
}
