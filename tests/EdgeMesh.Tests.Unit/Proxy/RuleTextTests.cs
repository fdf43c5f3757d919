using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class RuleTextTests
{
    private static readonly ServicePort Http = new("http", TransportProtocol.Tcp, 80);

    [Fact]
    public void TableIsReplacedInOneTransaction()
    {
        string text = RuleText.Full(Park.Frame(bridges: "docker0"), []);

        Assert.StartsWith("table ip edgemesh\ndelete table ip edgemesh\ntable ip edgemesh {\n", text, StringComparison.Ordinal);
        Assert.Contains("add element ip edgemesh outside { \"eth0\" }\n", text, StringComparison.Ordinal);
        Assert.Contains("add element ip edgemesh routed-bridges { \"docker0\" . \"docker0\" }\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void BaseChainsAreThese() => Assert.Equal(
        """
          chain services {
            ip saddr . ip daddr . meta l4proto . th dport @self goto agent
            meta l4proto tcp ip daddr . th dport @troubled goto agent-all
            ip daddr . meta l4proto . th dport vmap @services
            goto refuse
          }
          chain front-outside {
            ip daddr . meta l4proto . th dport @fenced jump fence
            ip saddr . ip daddr . meta l4proto . th dport @self goto agent
            meta l4proto tcp ip daddr . th dport @troubled goto agent-all
            ip daddr . meta l4proto . th dport vmap @services
          }
          chain front-inside {
            ip daddr . meta l4proto . th dport @fenced jump fence
            ip daddr . meta l4proto . th dport @whole goto agent
            ip saddr . ip daddr . meta l4proto . th dport @self goto agent
            meta l4proto tcp ip daddr . th dport @troubled goto agent-all
            ip daddr . meta l4proto . th dport vmap @services
          }
          chain answers {
            type filter hook prerouting priority -150; policy accept;
            tcp flags & (rst | ack) == rst | ack tcp sequence 0 goto refused
          }
          chain own-answers {
            type filter hook output priority -150; policy accept;
            tcp flags & (rst | ack) == rst | ack tcp sequence 0 goto refused
          }
          chain prerouting {
            type nat hook prerouting priority -101; policy accept;
            meta mark 0x20d3 return
            ip daddr @cluster-ips goto services
            ip daddr @fronts iifname @outside goto front-outside
            ip daddr @fronts goto front-inside
          }
          chain output {
            type nat hook output priority -101; policy accept;
            meta mark 0x20d3 return
            ip daddr @cluster-ips goto services
            ip daddr @fronts goto front-inside
          }
          chain input {
            type filter hook input priority -10; policy accept;
            meta mark 0x20d3 return
            ct direction reply return
            ct original ip daddr @fronts return
            ip daddr 169.254.96.16 iifname @outside drop
          }
          chain postrouting {
            type nat hook postrouting priority 99; policy accept;
            meta mark 0x20d3 return
            ct status & dnat != dnat return
            ct original ip daddr @cluster-ips goto way-back
            ct original ip daddr @fronts goto way-back
          }
          chain way-back {
            ip saddr 169.254.96.16 oifname != { "lo", "edgemesh0" } masquerade
            iifname . oifname @routed-bridges masquerade
            ct original ip daddr . ip daddr . meta l4proto . th dport @off-mesh masquerade
          }
        }

        """,
        After(RuleText.Full(Park.Frame(outside: ""), []), "  chain services {"));

    [Fact]
    public void NumberOfChainsDoesNotDependOnServices()
    {
        static int Chains(string text) => text.Split('\n').Count(l => l.StartsWith("  chain ", StringComparison.Ordinal));

        string none = RuleText.Full(Park.Frame(), []);
        string some = RuleText.Full(Park.Frame(), Elements("172.17.0.2@edge1", "172.17.0.2@edge2"));

        Assert.Equal(Chains(none), Chains(some));
        Assert.Equal(Verdict.MaxExact + 2 + 16, Chains(none));
    }

    [Fact]
    public void OneLocalAndTwoRemoteEndpointsAreThreeSlots() => Assert.Equal(
        """
        add element ip edgemesh cluster-ips { 10.96.0.10 }
        add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto n3 }
        add element ip edgemesh endpoints { 10.96.0.10 . tcp . 80 . 0 : 172.17.0.2 . 8080 }
        add element ip edgemesh self { 172.17.0.2 . 10.96.0.10 . tcp . 80 }
        add element ip edgemesh retry { 10.96.0.10 . 172.17.0.2 . tcp . 8080 }

        """,
        Added(Elements("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.3@edge3")));

    [Fact]
    public void RemoteEndpointsAreTheAgents() => Assert.Equal(
        """
        add element ip edgemesh cluster-ips { 10.96.0.10 }
        add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto agent }

        """,
        Added(Elements("172.17.0.2@edge2", "172.17.0.3@edge3")));

    [Fact]
    public void ServiceWithoutEndpointsIsRefusedAndItsOtherPortsToo() => Assert.Equal(
        """
        add element ip edgemesh cluster-ips { 10.96.0.10 }
        add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto refuse }

        """,
        Added(Elements()));

    [Fact]
    public void LocalPolicyWithoutLocalEndpointDiscards()
    {
        Service service = Park.Service() with { InternalTrafficPolicy = TrafficPolicy.Local };

        Assert.Contains("goto discard", Added(Elements(service, "172.17.0.2@edge2")), StringComparison.Ordinal);
    }

    [Fact]
    public void EndpointWithoutNodeIsMasqueraded() => Assert.Equal(
        """
        add element ip edgemesh cluster-ips { 10.96.0.10 }
        add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto n1 }
        add element ip edgemesh endpoints { 10.96.0.10 . tcp . 80 . 0 : 192.0.2.1 . 8080 }
        add element ip edgemesh off-mesh { 10.96.0.10 . 192.0.2.1 . tcp . 8080 }

        """,
        Added(Elements("192.0.2.1")));

    [Fact]
    public void AffinityGivesTheWholeServiceToTheAgent()
    {
        Service service = Park.Service() with { ClientIPAffinity = TimeSpan.FromHours(3) };

        Assert.Contains("80 : goto agent", Added(Elements(service, "172.17.0.2@edge1", "172.17.0.3@edge1")), StringComparison.Ordinal);
    }

    [Fact]
    public void UdpPortsHaveTheAgentsSocket()
    {
        Service service = Park.Service("10.96.0.10", new ServicePort("http", TransportProtocol.Udp, 53));
        EndpointSlice slice = Park.Slice("172.17.0.2@edge2") with { Ports = [new EndpointPort("http", TransportProtocol.Udp, 5353)] };
        ServicePlan plan = Park.Plan(service, Park.Here(), slice)!;

        Assert.Equal(
            """
            add element ip edgemesh cluster-ips { 10.96.0.10 }
            add element ip edgemesh services { 10.96.0.10 . udp . 53 : goto agent }
            add element ip edgemesh udp-agents { 10.96.0.10 . 53 : 169.254.96.16 . 4711 }

            """,
            Added(ServiceElements.Of(plan, _ => 4711)));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 40)]
    [InlineData(20, 30)]
    [InlineData(33, 0)]
    [InlineData(100, 3)]
    [InlineData(0, 50)]
    [InlineData(700, 700)]
    public void SharesAreEvenForAnyNumberOfEndpoints(int local, int remote)
    {
        string[] endpoints = [
            .. Enumerable.Range(0, local).Select(i => $"10.1.{i / 250}.{(i % 250) + 1}@edge1"),
            .. Enumerable.Range(0, remote).Select(i => $"10.2.{i / 250}.{(i % 250) + 1}@edge2")];

        Element[] elements = Elements(endpoints);
        int verdict = elements.Single(e => e.Set == RuleSetName.Services).Number;
        int slots = verdict == Verdict.Agent ? 1 : verdict;
        Element[] arms = [.. elements.Where(e => e.Set == RuleSetName.Endpoints)];
        double fair = (double)slots / (local + remote);
        double agent = slots - arms.Length;

        Assert.All(arms, a => Assert.InRange(a.Number, 0, slots - 1));
        Assert.Equal(remote > 0, agent > 0);
        Assert.Equal(local, arms.GroupBy(a => a.Other).Count());
        Assert.All(arms.GroupBy(a => a.Other), g => Assert.InRange(g.Count(), Math.Floor(fair), Math.Ceiling(fair)));
        Assert.InRange(agent / slots, ((double)remote / (local + remote)) - 0.2, ((double)remote / (local + remote)) + 0.2);
    }

    [Fact]
    public void DifferenceRemovesKeysAndAddsValues() => Assert.Equal(
        """
        delete element ip edgemesh services { 10.96.0.10 . tcp . 80 }
        add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto n3 }

        """,
        RuleText.Difference(
            Park.Frame(), Park.Frame(), [Verdicted(Verdict.Agent)], [Verdicted(3)]));

    [Fact]
    public void ChangedHostSetsAreReplaced() => Assert.Equal(
        """
        flush set ip edgemesh outside
        flush set ip edgemesh routed-bridges
        flush set ip edgemesh fronts
        add element ip edgemesh outside { "eth1", "wlan0" }

        """,
        RuleText.Difference(Park.Frame("eth0", "br1"), Park.Frame("wlan0 eth1"), [], []));

    private static Element Verdicted(int code) => new(
        RuleSetName.Services, TransportProtocol.Tcp, Http.Port, code, System.Net.IPAddress.Parse("10.96.0.10"), null);

    private static Element[] Elements(params string[] endpoints) => Elements(Park.Service(), endpoints);

    private static Element[] Elements(Service service, params string[] endpoints) =>
        ServiceElements.Of(Park.Plan(service, Park.Here("0.0.0.0/0 eth0"), Park.Slice(endpoints))!, _ => 0);

    private static string Added(Element[] elements) => RuleText.Difference(null, Park.Frame(), [], elements);

    private static string After(string text, string marker) => text[text.IndexOf(marker, StringComparison.Ordinal)..];
}
