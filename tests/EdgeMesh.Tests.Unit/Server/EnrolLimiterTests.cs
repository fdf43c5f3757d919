using System.Net;

using EdgeMesh.Server.Http;

using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class EnrolLimiterTests
{
    private readonly FakeTimeProvider time = new();
    private readonly EnrolLimiter limiter;

    public EnrolLimiterTests() => limiter = new EnrolLimiter(time);

    [Fact]
    public void AllowsABurstAndThenOneASecond()
    {
        IPAddress address = IPAddress.Parse("192.0.2.1");
        Assert.Equal(EnrolLimiter.Burst, Taken(address));
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.2")));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Taken(address));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(EnrolLimiter.Burst, Taken(address));
    }

    [Fact]
    public void CountsACustomersIpv6AddressesTogether()
    {
        Assert.Equal(EnrolLimiter.Burst, Taken(IPAddress.Parse("2001:db8::1")));
        Assert.False(limiter.TryTake(IPAddress.Parse("2001:db8::2")));
        Assert.True(limiter.TryTake(IPAddress.Parse("2001:db8:0:1::1")));
    }

    [Fact]
    public void IsBoundedInMemoryAndRecovers()
    {
        int taken = Enumerable.Range(0, 10_000).Count(i => limiter.TryTake(new IPAddress(i + 1L)));
        Assert.Equal(4096, taken);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(limiter.TryTake(IPAddress.Parse("192.0.2.1")));
    }

    private int Taken(IPAddress address) => Enumerable.Range(0, 100).Count(_ => limiter.TryTake(address));
}
