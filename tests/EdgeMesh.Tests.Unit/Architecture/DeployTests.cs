using System.CommandLine;
using System.Globalization;
using EdgeMesh.App.Agent;
using EdgeMesh.App.Settings;
using EdgeMesh.App.Verbs;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Architecture;

/// <summary>The manifests of <c>deploy/</c> against the program: options, ports, mounts, rights.</summary>
public class DeployTests
{
    public static TheoryData<string, string> Workloads => new()
    {
        { "deploy/server.yaml", "edgemesh-server" },
        { "deploy/agent.yaml", "edgemesh-agent" },
        { "deploy/kubeedge.yaml", "edgemesh-agent-edge" },
    };

    [Theory]
    [MemberData(nameof(Workloads))]
    public void TheProgramTakesTheArguments(string file, string name)
    {
        string[] args = [.. Container(file, name)["args"].Items.Select(a => a.Text.Replace("$(NODE_NAME)", "edge1", StringComparison.Ordinal))];
        Assert.Empty(CommandLine.Build().Parse(args).Errors);
        if (args[0] == "agent")
        {
            Dictionary<string, SettingValue> given = [];
            for (int i = 1; i < args.Length; i++)
            {
                Setting setting = AgentSettings.All.Single(s => s.Flag == args[i]);
                string value = setting.Kind == SettingKind.Switch ? "true" : args[++i];
                given[setting.Name] = new SettingValue([value], setting.Flag);
            }

            // As the program reads them, with exactly one source of Services.
            AgentSettings.Read(new SettingValues(given), requireAll: true);
        }
    }

    [Theory]
    [InlineData("deploy/server.yaml", "edgemesh-server", MeshDefaults.ServerMetricsPort, "TCP 20006,UDP 20006,UDP 20016")]
    [InlineData("deploy/agent.yaml", "edgemesh-agent", MeshDefaults.AgentMetricsPort, "UDP 20007")]
    [InlineData("deploy/kubeedge.yaml", "edgemesh-agent-edge", MeshDefaults.AgentMetricsPort, "UDP 20007")]
    public void PortsAreTheProgramsDefaults(string file, string name, int metrics, string ports)
    {
        Assert.Equal((20006, 20016, 20007), (MeshDefaults.ServerPort, MeshDefaults.ServerSecondUdpPort, MeshDefaults.AgentPort));
        Datum container = Container(file, name);
        Assert.Equal(ports, string.Join(',', container["ports"].Items.Select(p => $"{p["protocol"].Text} {p["containerPort"].Text}")));
        foreach (string probe in (string[])["livenessProbe", "readinessProbe"])
        {
            if (container[probe].Kind == DatumKind.Map)
            {
                Assert.Equal(metrics.ToString(CultureInfo.InvariantCulture), container[probe]["httpGet"]["port"].Text);
                Assert.Equal("127.0.0.1", container[probe]["httpGet"]["host"].Text);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void EveryPathIsMountedAndEveryMountHasAVolume(string file, string name)
    {
        Datum pod = Pod(file, name);
        Datum container = Container(file, name);
        Dictionary<string, string> mounts = container["volumeMounts"].Items.ToDictionary(m => m["mountPath"].Text, m => m["name"].Text);
        List<string> args = [.. container["args"].Items.Select(a => a.Text)];
        foreach (string option in (string[])["--state-dir", "--token-file"])
        {
            if (args.IndexOf(option) is >= 0 and int at)
            {
                Assert.Contains(mounts.Keys, mount => (args[at + 1] + "/").StartsWith(mount + "/", StringComparison.Ordinal));
            }
        }

        Assert.Equal(mounts.Values.Order(StringComparer.Ordinal), pod["volumes"].Items.Select(v => v["name"].Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TheAccountMayDoExactlyWhatTheProgramAsksFor()
    {
        ApiResource[] asked = [ApiResource.Services, ApiResource.Slices, ApiResource.Endpoints, ApiResource.Nodes, ApiResource.Rules];
        IEnumerable<string> needed = asked.SelectMany(r =>
        {
            string[] parts = r.Path.Split('/');
            string group = parts[1] == "apis" ? parts[2] : "";
            return (string[])[$"list {group}/{parts[^1]}", $"watch {group}/{parts[^1]}"];
        });
        IEnumerable<string> given = Find("deploy/agent.yaml", "ClusterRole", "edgemesh-agent")["rules"].Items.SelectMany(rule =>
            from verb in rule["verbs"].Items
            from apiGroup in rule["apiGroups"].Items
            from resource in rule["resources"].Items
            select $"{verb.Text} {apiGroup.Text}/{resource.Text}");
        Assert.Equal(needed.Order(StringComparer.Ordinal), given.Order(StringComparer.Ordinal));
        Assert.Equal("edgemesh-agent", Pod("deploy/agent.yaml", "edgemesh-agent")["serviceAccountName"].Text);
    }

    [Theory]
    [InlineData("deploy/agent.yaml", "edgemesh-agent", "DoesNotExist")]
    [InlineData("deploy/kubeedge.yaml", "edgemesh-agent-edge", "Exists")]
    public void TheTwoKindsOfAgentShareNoNode(string file, string name, string wanted)
    {
        Datum term = Pod(file, name)["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"].Items[0]["matchExpressions"].Items[0];
        Assert.Equal(("node-role.kubernetes.io/edge", wanted), (term["key"].Text, term["operator"].Text));
        Assert.Equal(["NET_ADMIN", "NET_BIND_SERVICE"], Container(file, name)["securityContext"]["capabilities"]["add"].Items.Select(c => c.Text));
    }

    [Fact]
    public void TheImageHasWhatTheProgramLoads()
    {
        string text = Repository.Read("deploy/Dockerfile");
        foreach (string package in (string[])["libngtcp2-9", "libngtcp2-crypto-gnutls2", "nftables"])
        {
            Assert.Contains(package, text, StringComparison.Ordinal);
            Assert.Contains(package, Repository.Read("lab/packages.txt"), StringComparison.Ordinal);
        }

        Assert.Contains("COPY out/edgemesh ", text, StringComparison.Ordinal);
    }

    private static Datum Container(string file, string name) => Assert.Single(Pod(file, name)["containers"].Items);

    private static Datum Pod(string file, string name) =>
        Find(file, file.Contains("server", StringComparison.Ordinal) ? "Deployment" : "DaemonSet", name)["spec"]["template"]["spec"];

    private static Datum Find(string file, string kind, string name)
    {
        using FileStream stream = File.OpenRead(Repository.PathOf(file));
        return YamlReader.Read(stream).Single(d => d["kind"].Text == kind && d["metadata"]["name"].Text == name);
    }
}
