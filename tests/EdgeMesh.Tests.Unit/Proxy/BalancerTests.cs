using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class BalancerTests
{
    private static readonly IPAddress Client = IPAddress.Parse("172.17.0.9");

    private readonly FakeTimeProvider time = new();
    private readonly Balancer balancer;

    private readonly Dictionary<string, PeerDistance> distances = [];

    public BalancerTests() => balancer = new Balancer(
        time, new Random(1), node => distances.GetValueOrDefault(node.Value, new PeerDistance(PeerTier.Unknown, default)));

    [Theory]
    [InlineData("edge2", "edge2=Lan/2 edge3=Direct/1 edge4=Relay/1")]
    [InlineData("edge3", "edge2=Relay/1 edge3=Direct/90 edge4=Relay/1")]
    [InlineData("edge2 edge3", "edge2=Direct/20 edge3=Direct/25 edge4=Direct/40")]
    [InlineData("edge3", "edge2=Direct/20 edge3=Unknown/0 edge4=Relay/1")]
    public void NearestTakesTheShortestWay(string expected, string ways)
    {
        foreach (string[] way in ways.Split(' ').Select(w => w.Split('=', '/')))
        {
            distances[way[0]] = new PeerDistance(Enum.Parse<PeerTier>(way[1]), TimeSpan.FromMilliseconds(int.Parse(way[2])));
        }

        PortPlan plan = Park.Port("172.17.0.2@edge2", "172.17.0.2@edge3", "172.17.0.2@edge4") with { Balancing = Balancing.Nearest };

        Assert.Equal(expected.Split(' '), Draw(plan, Client, 200).Keys.Order());

        // What is next when that fails.
        foreach (PlannedEndpoint endpoint in plan.Endpoints.Where(e => expected.Contains(e.Node!.Value.Value, StringComparison.Ordinal)))
        {
            balancer.Failed(plan, endpoint);
        }

        Assert.Empty(Draw(plan, Client, 200).Keys.Intersect(expected.Split(' ')));
    }

    [Fact]
    public void NearestLeavesTheKernelItsOwn()
    {
        PortPlan plan = Park.Port("172.17.0.2@edge1", "172.17.0.3@edge1", "172.17.0.2@edge2") with { Balancing = Balancing.Nearest };

        Assert.Equal((2, 2), (plan.KernelCount, plan.DrawnCount));
        Assert.Equal(["edge1"], Draw(plan, IPAddress.Parse("172.17.0.2"), 100).Keys);
    }

    [Fact]
    public void LeastLoadedFillsUpTheEmptyOnes()
    {
        PortPlan plan = Park.Port("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.2@edge3") with { Balancing = Balancing.LeastLoaded };
        Assert.Equal(0, plan.KernelCount);
        Stack<IDisposable> open = [];
        Dictionary<PlannedEndpoint, int> loads = plan.Endpoints.ToDictionary(e => e, _ => 0);
        for (int i = 0; i < 300; i++)
        {
            Assert.True(balancer.Begin(plan, Client).TryNext(out PlannedEndpoint endpoint));
            loads[endpoint]++;
            open.Push(balancer.Carry(plan, endpoint)!);
        }

        // By chance alone the difference would be some 15.
        Assert.InRange(loads.Values.Max() - loads.Values.Min(), 0, 6);
        while (open.TryPop(out IDisposable? load))
        {
            load.Dispose();
            load.Dispose();
        }

        Assert.Equal(3, Draw(plan, Client, 300).Count);
    }

    [Fact]
    public void HashMovesOnlyTheClientsOfTheEndpointThatWent()
    {
        PortPlan all = Park.Port("172.17.0.2@edge2", "172.17.0.2@edge3", "172.17.0.2@edge4") with { Balancing = Balancing.ClientHash };
        PortPlan less = all with { Endpoints = all.Endpoints.RemoveAt(2) };
        int[] counts = new int[3];
        for (int i = 0; i < 300; i++)
        {
            IPAddress client = new([172, 17, (byte)(i / 250), (byte)i]);
            string before = Assert.Single(Draw(all, client, 5).Keys);
            string after = Assert.Single(Draw(less, client, 5).Keys);
            counts[before[4] - '2']++;
            Assert.True(before == after || before == "edge4", $"{client}: {before} -> {after}");
        }

        Assert.All(counts, count => Assert.InRange(count, 60, 140));
    }

    [Fact]
    public void RemoteEndpointsShareEvenlyAndLocalOnesAreTheKernels()
    {
        Dictionary<string, int> drawn = Draw(Park.Port("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.2@edge3", "172.17.0.2@edge4"), Client, 3000);

        Assert.False(drawn.ContainsKey("edge1"));
        Assert.All(drawn.Values, n => Assert.InRange(n, 900, 1100));
        Assert.Equal(3, drawn.Count);
    }

    [Fact]
    public void ClientThatIsAnEndpointGetsAllOfThem()
    {
        Dictionary<string, int> drawn = Draw(
            Park.Port("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.3@edge3"), IPAddress.Parse("172.17.0.2"), 3000);

        Assert.All(drawn.Values, n => Assert.InRange(n, 900, 1100));
        Assert.Equal(3, drawn.Count);
    }

    [Fact]
    public void SameAddressOnAnotherNodeIsNotTheClient()
    {
        Dictionary<string, int> drawn = Draw(Park.Port("172.17.0.3@edge1", "172.17.0.2@edge2"), IPAddress.Parse("172.17.0.2"), 100);

        Assert.Equal(["edge2"], drawn.Keys);
    }

    [Fact]
    public void AttemptsVisitEachEndpointOnceRemoteOnesFirst()
    {
        Balancer.Attempts attempts = balancer.Begin(Park.Port("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.2@edge3"), Client);
        List<string> seen = [];
        while (attempts.TryNext(out PlannedEndpoint endpoint))
        {
            seen.Add(endpoint.Node.ToString()!);
        }

        Assert.Equal("edge1", seen[2]);
        Assert.Equal(["edge1", "edge2", "edge3"], seen.Order());
    }

    [Fact]
    public void FailedEndpointIsLeftOutForASecond()
    {
        PortPlan plan = Park.Port("172.17.0.2@edge2", "172.17.0.2@edge3");
        balancer.Failed(plan, plan.Endpoints[0]);

        Assert.Equal(["edge3"], Draw(plan, Client, 50).Keys);
        time.Advance(TimeSpan.FromMilliseconds(1001));
        Assert.Equal(2, Draw(plan, Client, 50).Count);
    }

    [Fact]
    public void EjectionGrowsToTenSecondsAndEndsWithASuccess()
    {
        PortPlan plan = Park.Port("172.17.0.2@edge2", "172.17.0.2@edge3");
        for (int i = 0; i < 10; i++)
        {
            balancer.Failed(plan, plan.Endpoints[0]);
            time.Advance(TimeSpan.FromMilliseconds(10_001));
        }

        Assert.Equal(2, Draw(plan, Client, 50).Count);
        balancer.Failed(plan, plan.Endpoints[0]);
        time.Advance(TimeSpan.FromMilliseconds(9_000));
        Assert.Equal(["edge3"], Draw(plan, Client, 50).Keys);
        balancer.Succeeded(plan, plan.Endpoints[0]);
        Assert.Equal(2, Draw(plan, Client, 50).Count);
    }

    [Fact]
    public void FailuresDuringAnEjectionDoNotLengthenIt()
    {
        PortPlan plan = Park.Port("172.17.0.2@edge2", "172.17.0.2@edge3");
        for (int i = 0; i < 20; i++)
        {
            balancer.Failed(plan, plan.Endpoints[0]);
        }

        time.Advance(TimeSpan.FromMilliseconds(1001));
        Assert.Equal(2, Draw(plan, Client, 50).Count);
    }

    [Fact]
    public void LastEndpointIsNeverLeftOut()
    {
        PortPlan plan = Park.Port("172.17.0.2@edge2", "172.17.0.2@edge3");
        balancer.Failed(plan, plan.Endpoints[0]);
        balancer.Failed(plan, plan.Endpoints[1]);

        Assert.Equal(2, Draw(plan, Client, 50).Count);
        PortPlan alone = Park.Port("172.17.0.2@edge2");
        balancer.Failed(alone, alone.Endpoints[0]);
        Assert.Equal(["edge2"], Draw(alone, Client, 50).Keys);
    }

    [Fact]
    public void AffinityKeepsTheEndpointUntilTheTimeoutAfterTheLastUse()
    {
        PortPlan plan = Affine("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.2@edge3");
        string first = Draw(plan, Client, 1).Keys.Single();
        for (int i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromSeconds(59));
            Assert.Equal(first, Draw(plan, Client, 1).Keys.Single());
        }

        HashSet<string> later = [];
        for (int i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromSeconds(61));
            later.Add(Draw(plan, Client, 1).Keys.Single());
        }

        Assert.True(later.Count > 1);
    }

    [Fact]
    public void AffinityMovesWhenTheEndpointGoes()
    {
        PortPlan plan = Affine("172.17.0.2@edge2", "172.17.0.2@edge3");
        string first = Draw(plan, Client, 1).Keys.Single();
        PortPlan rest = plan with { Endpoints = [.. plan.Endpoints.Where(e => e.Node.ToString() != first)] };

        Assert.NotEqual(first, Draw(rest, Client, 1).Keys.Single());
    }

    [Fact]
    public void AffinityHoldsForConnectionsOfTheSameMoment()
    {
        PortPlan plan = Affine("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.2@edge3");
        Balancer shared = new(time, Random.Shared, _ => new PeerDistance(PeerTier.Unknown, default));
        for (int i = 1; i <= 200; i++)
        {
            IPAddress client = new([10, 0, 0, (byte)i]);
            PlannedEndpoint[] drawn = new PlannedEndpoint[8];
            Parallel.For(0, drawn.Length, n => Assert.True(shared.Begin(plan, client).TryNext(out drawn[n])));
            Assert.Single(drawn.Distinct());
        }
    }

    [Fact]
    public void TheQuickerConnectionOfAClientDecides()
    {
        AffinityTable table = new();
        PortPlan plan = Affine("172.17.0.2@edge1", "172.17.0.2@edge2");
        EndpointId[] ids = [.. plan.Endpoints.Select(e => new EndpointId(e.Node, TransportProtocol.Tcp, e.Address))];
        TimeSpan minute = TimeSpan.FromMinutes(1);

        Assert.Equal(ids[0], table.Remember(plan.Key, Client, null, ids[0], minute, 0));
        Assert.Equal(ids[0], table.Remember(plan.Key, Client, null, ids[1], minute, 0));
        Assert.Equal(ids[1], table.Remember(plan.Key, Client, ids[0], ids[1], minute, 0));
        Assert.Equal(ids[0], table.Remember(plan.Key, Client, null, ids[0], minute, 60_000));
    }

    private static PortPlan Affine(params string[] endpoints) =>
        Park.Plan(Park.Service() with { ClientIPAffinity = TimeSpan.FromMinutes(1) }, Park.Here(), Park.Slice(endpoints))!.Ports[0];

    private Dictionary<string, int> Draw(PortPlan plan, IPAddress client, int times)
    {
        Dictionary<string, int> drawn = [];
        for (int i = 0; i < times; i++)
        {
            Assert.True(balancer.Begin(plan, client).TryNext(out PlannedEndpoint endpoint));
            string node = endpoint.Node.ToString()!;
            drawn[node] = drawn.GetValueOrDefault(node) + 1;
        }

        return drawn;
    }
}
