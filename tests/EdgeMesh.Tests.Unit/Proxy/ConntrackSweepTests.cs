using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Rules;
using EdgeMesh.Proxy.Udp;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class ConntrackSweepTests
{
    private const string Listing =
        """
        udp      17 29 src=172.17.0.2 dst=10.96.0.10 sport=5353 dport=53 [UNREPLIED] src=172.17.0.3 dst=172.17.0.2 sport=8053 dport=5353 mark=0 use=1
        udp      17 29 src=172.17.0.2 dst=10.96.0.10 sport=5354 dport=53 src=172.17.0.3 dst=172.17.0.2 sport=8053 dport=5354 [ASSURED] mark=0 use=1
        udp      17 29 src=172.17.0.2 dst=10.96.0.10 sport=5355 dport=53 src=172.17.0.4 dst=172.17.0.2 sport=8053 dport=5355 mark=0 use=1
        udp      17 29 src=192.168.1.5 dst=8.8.8.8 sport=1 dport=53 src=8.8.8.8 dst=192.168.1.5 sport=53 dport=1 mark=0 use=1
        conntrack v1.4.7 (conntrack-tools): 4 flow entries have been shown.
        """;

    [Fact]
    public void FindsEntriesOfServicesWhoseEndpointIsNotCurrent()
    {
        HashSet<ConntrackSweep.Stale> stale = ConntrackSweep.Find(
            Listing, (key, to) => key.Address.ToString() == "10.96.0.10" && key.Port == 53 ? to.ToString() == "172.17.0.4:8053" : null);

        Assert.Equal([new ConntrackSweep.Stale(IPAddress.Parse("10.96.0.10"), 53, IPAddress.Parse("172.17.0.3"), 8053)], stale);
    }

    [Fact]
    public void KnowsTheUdpServicesOfATableThatAnotherAgentLeft() => Assert.Equal(
        [new PortKey(IPAddress.Parse("10.96.0.10"), TransportProtocol.Udp, 53), new PortKey(IPAddress.Parse("10.0.0.5"), TransportProtocol.Udp, 30080)],
        NftTable.ParseUdpPorts("""
            table ip edgemesh {
            	map services {
            		type ipv4_addr . inet_proto . inet_service : verdict
            		elements = { 10.96.0.10 . udp . 53 : goto n1,
            			     10.96.0.10 . tcp . 53 : goto n1, 10.0.0.5 . udp . 30080 : goto agent }
            	}
            }
            """).OrderByDescending(k => k.Address.ToString()));

    [Fact]
    public void LeavesOthersAlone() => Assert.Empty(ConntrackSweep.Find(Listing, (_, _) => null));
}
