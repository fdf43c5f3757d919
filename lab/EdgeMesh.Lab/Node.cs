namespace EdgeMesh.Lab;

/// <summary>A Kubernetes node with a docker-like pod bridge.</summary>
public sealed class Node(Lab lab, string name, Host host, string address)
{
    private readonly List<Pod> pods = [];

    public string Name => name;

    public Host Host => host;

    /// <summary>InternalIP of the node.</summary>
    public string Address => address;

    public IReadOnlyList<Pod> Pods => pods;

    /// <summary>A pod: a namespace on the bridge, the node as its gateway, the mesh's DNS server as its resolver.</summary>
    public async Task<Pod> AddPodAsync(string podName, string podAddress, CancellationToken stop)
    {
        Host inside = await lab.AddNamespaceAsync($"{name}-{podName}", stop);
        await lab.PlugAsync(inside, "eth0", PodBridge, $"{podAddress}/16", "172.17.0.1", stop);
        string etc = $"/etc/netns/{inside.Namespace}";
        Directory.CreateDirectory(etc);
        await File.WriteAllTextAsync(Path.Combine(etc, "resolv.conf"),
            "nameserver 169.254.96.16\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n", stop);
        Pod pod = new(podName, this, inside, podAddress);
        pods.Add(pod);
        return pod;
    }

    private Switch PodBridge { get; } = new(host, "docker0");

    internal async Task MakePodBridgeAsync(CancellationToken stop)
    {
        await host.IpAsync(["link add docker0 type bridge", "addr add 172.17.0.1/16 dev docker0", "link set docker0 up"], stop);
        await host.SysctlAsync("net.ipv4.ip_forward", "1", stop);
        await host.NftAsync("""
            table ip docker {
              chain postrouting { type nat hook postrouting priority 100; ip saddr 172.17.0.0/16 oifname != "docker0" masquerade; }
            }
            """, stop);
    }
}
