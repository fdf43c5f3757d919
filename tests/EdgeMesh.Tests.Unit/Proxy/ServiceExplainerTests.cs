using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Explain;

namespace EdgeMesh.Tests.Unit.Proxy;

/// <summary>Broken set-ups: the first line has to name the cause.</summary>
public sealed class ServiceExplainerTests
{
    private const string Local = "172.17.0.2@edge1";
    private const string Remote = "172.17.0.2@edge2";

    private static readonly Node[] Nodes = [new() { Name = Park.Edge1 }, new() { Name = NodeName.Parse("edge2") }];

    [Fact]
    public void WhatWorksIsSaidToWork()
    {
        Explanation said = Explain(Park.Service(), facts: ExplainFacts.None with { ServiceDial = DialFact.Connected }, endpoints: [Local, Remote]);

        Assert.True(said.IsServed, said.Cause);
        Assert.Contains(said.Details, d => d.Contains("172.17.0.2:8080 on edge1: in, by the kernel", StringComparison.Ordinal));
        Assert.Contains(said.Details, d => d.Contains("172.17.0.2:8080 on edge2: in, through the agent", StringComparison.Ordinal));
    }

    [Fact]
    public void WrongTargetPort()
    {
        ExplainFacts facts = Dialled(DialFact.Refused);

        Blames("nothing listens at endpoint 172.17.0.2:8080", Explain(Park.Service(), facts, Local));
        Blames("wrong targetPort of port 80", Explain(Park.Service(), facts, Local));
    }

    [Fact]
    public void TargetPortNamedAfterNoPortOfThePods()
    {
        Service service = Park.Service("10.96.0.10", new ServicePort("web", TransportProtocol.Tcp, 80));

        Blames("port web 80/TCP of default/web is offered by none of its endpoints, they offer http 8080/TCP", Explain(service, null, Local));
    }

    [Fact]
    public void NoEndpoints() => Blames("default/web has no endpoints", Explain(Park.Service(), null));

    [Fact]
    public void EndpointNotReady() => Blames("no endpoint of default/web is ready: 172.17.0.2 (not ready)", Explain(Park.Service(), null, Local + " unready"));

    [Fact]
    public void BackendDead() => Blames("endpoint 172.17.0.2:8080 does not answer: the backend is dead", Explain(Park.Service(), Dialled(DialFact.Silent), Local));

    [Theory]
    [InlineData(true, ServiceFilterMode.FilterIfLabelExists, "has the label service.edgemesh")]
    [InlineData(false, ServiceFilterMode.FilterIfLabelDoesNotExists, "lacks the label service.edgemesh")]
    public void FilterLabel(bool hasLabel, ServiceFilterMode mode, string expected) =>
        Blames(expected, Explain(Park.Service() with { HasEdgeMeshFilterLabel = hasLabel }, Park.Here(nodes: Nodes) with { FilterMode = mode }, null, Local));

    [Fact]
    public void LocalPolicyWithoutALocalEndpoint() => Blames(
        "internalTrafficPolicy: Local and no usable endpoint on this node (edge1)",
        Explain(Park.Service() with { InternalTrafficPolicy = TrafficPolicy.Local }, null, Remote));

    [Fact]
    public void ThisNodeIsUnknown() => Blames(
        "this node's name, edge7, is no Node of the cluster (edge1, edge2)",
        Explain(Park.Service(), Park.Here(nodes: Nodes) with { Self = NodeName.Parse("edge7") }, null, Local));

    [Fact]
    public void NodeOfTheEndpointIsUnknown() => Blames(
        "endpoint 172.17.0.2:8080 is on node edge9, which the cluster does not know", Explain(Park.Service(), null, "172.17.0.2@edge9"));

    [Fact]
    public void PeerUnreachable()
    {
        ExplainFacts facts = ExplainFacts.None with
        {
            Peers = new Dictionary<NodeName, PeerFact> { [NodeName.Parse("edge2")] = new(null, "no server knows it") },
        };

        Blames("node edge2, which has endpoint 172.17.0.2:8080, cannot be reached: no server knows it", Explain(Park.Service(), facts, Remote));
        Blames("(1 of 2 endpoints of port http 80/TCP; others serve)", Explain(Park.Service(), facts, Remote, Local));
    }

    [Fact]
    public void ClusterDnsIsNotOurs()
    {
        ExplainFacts facts = ExplainFacts.None with
        {
            ClusterDns = [IPAddress.Parse("10.96.0.10")],
            ClusterDnsFile = "/etc/kubeedge/config/edgecore.yaml",
            OurDns = [MeshDefaults.MeshAddress],
            ServiceDial = DialFact.Connected,
        };

        Blames("pods of this node ask another DNS server: /etc/kubeedge/config/edgecore.yaml has clusterDNS 10.96.0.10", Explain(Park.Service(), facts, Local));
    }

    [Fact]
    public void ForeignRuleInFront()
    {
        const string Rules = """
            table ip nat {
            	chain PREROUTING {
            		type nat hook prerouting priority -200; policy accept;
            		ip daddr 10.96.0.10 tcp dport 80 dnat to 192.0.2.9
            	}
            }
            table ip edgemesh {
            	chain x {
            		ip daddr 10.96.0.10 drop
            	}
            }
            """;
        string? rule = ForeignRules.Find(Rules, IPAddress.Parse("10.96.0.10"));
        ExplainFacts facts = ExplainFacts.None with { ForeignRule = rule, ServiceDial = DialFact.Silent };

        Assert.Equal("table ip nat, chain PREROUTING: ip daddr 10.96.0.10 tcp dport 80 dnat to 192.0.2.9", rule);
        Blames("a rule that is not ours takes packets to default/web first: table ip nat", Explain(Park.Service(), facts, Local));
        Assert.Null(ForeignRules.Find(Rules, IPAddress.Parse("10.96.0.1")));
    }

    [Fact]
    public void AForeignFilterThatCannotBeOverruledIsNamedWithItsRemedy()
    {
        ExplainFacts served = ExplainFacts.None with { ServiceDial = DialFact.Connected };

        Blames(
            "table ip filter, chain FORWARD (policy drop) drops clients outside that come by a node port or external address to an endpoint of this node: accept translated connections there (docker: iptables -I DOCKER-USER",
            Explain(Park.Service(), served with { ForwardDrop = "table ip filter, chain FORWARD (policy drop)" }, Local));
        Blames(
            "table ip filter, chain INPUT (policy drop) keeps pods of this node or clients outside from the agent: accept translated connections there (nft: ct status dnat accept; for pods alone, with ufw",
            Explain(Park.Service(), served with { InputDrop = "table ip filter, chain INPUT (policy drop)" }, Local));
    }

    [Fact]
    public void ServiceOfTheWrongType()
    {
        Blames("is headless", Explain(Park.Service() with { IsHeadless = true, ClusterIPs = [] }, null, Local));
        Blames(
            "is of type ExternalName: DNS answers with example.com",
            Explain(Park.Service() with { Type = ServiceType.ExternalName, ExternalName = "example.com", ClusterIPs = [] }, null, Local));
    }

    [Theory]
    [InlineData("default", "wbe", "there is no Service default/wbe; did you mean default/web?")]
    [InlineData("shop", "web", "there is no Service shop/web; did you mean default/web?")]
    [InlineData("default", "something-else", "there is no Service default/something-else")]
    public void NameMisspelt(string space, string name, string expected) => Assert.Equal(
        expected, new ServiceExplainer(Snapshot(Park.Service(), [Local]), Park.Here(nodes: Nodes), ExplainFacts.None).Explain(new ServiceName(space, name)).Cause);

    [Fact]
    public void ConnectionThatFailsForNoKnownReasonIsNotCalledWell() => Blames(
        "a connection from this host to it was not answered", Explain(Park.Service(), ExplainFacts.None with { ServiceDial = DialFact.Silent }, Local));

    [Fact]
    public void BeforeTheFirstListNothingIsBlamedOnTheService() => Blames(
        "no Services have been read yet", new ServiceExplainer(MeshSnapshot.Empty, Park.Here(), ExplainFacts.None).Explain(Park.Web));

    private static void Blames(string cause, Explanation said)
    {
        Assert.False(said.IsServed);
        Assert.Contains(cause, said.Cause, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said.Cause);
    }

    private static ExplainFacts Dialled(DialFact result) => ExplainFacts.None with
    {
        Dials = new Dictionary<IPEndPoint, DialFact> { [IPEndPoint.Parse("172.17.0.2:8080")] = result },
    };

    private static Explanation Explain(Service service, ExplainFacts? facts, params string[] endpoints) =>
        Explain(service, Park.Here(nodes: Nodes), facts, endpoints);

    private static Explanation Explain(Service service, Surroundings here, ExplainFacts? facts, params string[] endpoints) =>
        new ServiceExplainer(Snapshot(service, endpoints), here, facts ?? ExplainFacts.None).Explain(service.Name);

    private static MeshSnapshot Snapshot(Service service, string[] endpoints)
    {
        MeshUpdate update = new(MeshSnapshot.Empty);
        update.MarkSynced();
        foreach (Node node in Nodes)
        {
            update.Set(node);
        }

        update.Set(service);
        if (endpoints.Length > 0)
        {
            update.Set(Park.Slice(endpoints));
        }

        return update.ToSnapshot();
    }
}
