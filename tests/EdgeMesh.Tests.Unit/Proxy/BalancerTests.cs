using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class BalancerTests
{
    private static readonly IPAddress Client = IPAddress.Parse("172.17.0.9");

    private readonly FakeTimeProvider time = new();
    private readonly Balancer balancer;

    public BalancerTests() => balancer = new Balancer(time, new Random(1));

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
