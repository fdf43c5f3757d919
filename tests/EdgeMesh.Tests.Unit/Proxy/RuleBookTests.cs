using EdgeMesh.Model;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class RuleBookTests
{
    private readonly RuleBook book = new();

    public RuleBookTests()
    {
        book.Set(Park.Web, Elements("172.17.0.2@edge1", "172.17.0.2@edge2"));
        book.Set(new ServiceName("default", "other"), [new Element(RuleSetName.ClusterIps, 0, 0, 0, System.Net.IPAddress.Parse("10.96.0.99"), null)]);
        book.Commit(Park.Frame());
    }

    [Fact]
    public void NothingChangedNothingWritten()
    {
        book.Set(Park.Web, Elements("172.17.0.2@edge2", "172.17.0.2@edge1"));

        Assert.Equal("", book.Transaction(Park.Frame()));
    }

    [Fact]
    public void OneEndpointMoreIsWrittenAlone()
    {
        book.Set(Park.Web, Elements("172.17.0.2@edge1", "172.17.0.2@edge2", "172.17.0.3@edge1"));

        Assert.Equal(
            """
            delete element ip edgemesh services { 10.96.0.10 . tcp . 80 }
            add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto n3 }
            add element ip edgemesh endpoints { 10.96.0.10 . tcp . 80 . 1 : 172.17.0.3 . 8080 }
            add element ip edgemesh self { 172.17.0.3 . 10.96.0.10 . tcp . 80 }
            add element ip edgemesh retry { 10.96.0.10 . 172.17.0.3 . tcp . 8080 }

            """,
            book.Transaction(Park.Frame()));
    }

    [Fact]
    public void ThereAndBackIsNothing()
    {
        book.Set(Park.Web, null);
        book.Set(Park.Web, Elements("172.17.0.2@edge1", "172.17.0.2@edge2"));

        Assert.Equal("", book.Transaction(Park.Frame()));
    }

    [Fact]
    public void RemovedServiceLeavesNothing()
    {
        book.Set(Park.Web, null);

        Assert.Equal(
            """
            delete element ip edgemesh cluster-ips { 10.96.0.10 }
            delete element ip edgemesh services { 10.96.0.10 . tcp . 80 }
            delete element ip edgemesh endpoints { 10.96.0.10 . tcp . 80 . 0 }
            delete element ip edgemesh self { 172.17.0.2 . 10.96.0.10 . tcp . 80 }
            delete element ip edgemesh retry { 10.96.0.10 . 172.17.0.2 . tcp . 8080 }

            """,
            book.Transaction(Park.Frame()));
        Assert.Equal(1, book.ElementCount);
    }

    [Fact]
    public void WhatWasNotCommittedIsWrittenAgain()
    {
        book.Set(Park.Web, null);
        string first = book.Transaction(Park.Frame());

        Assert.Equal(first, book.Transaction(Park.Frame()));
        book.Commit(Park.Frame());
        Assert.Equal("", book.Transaction(Park.Frame()));
    }

    [Fact]
    public void ForgottenTableIsReplacedWhole()
    {
        book.Forget();

        string text = book.Transaction(Park.Frame());

        Assert.Contains("delete table ip edgemesh", text, StringComparison.Ordinal);
        Assert.Contains("10.96.0.99", text, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherListenerPortReplacesTheTable() =>
        Assert.Contains("delete table", book.Transaction(Park.Frame() with { TcpPort = 4002 }), StringComparison.Ordinal);

    [Fact]
    public void ElementOfTwoServicesStaysUntilTheLastOneGoes()
    {
        Element both = new(
            RuleSetName.OffMesh, TransportProtocol.Tcp, 0, 0, System.Net.IPAddress.Parse("203.0.113.1"), System.Net.IPEndPoint.Parse("192.0.2.1:80"));
        const string Text = "element ip edgemesh off-mesh { 203.0.113.1 . 192.0.2.1 . tcp . 80 }\n";
        ServiceName one = new("default", "one");
        ServiceName two = new("default", "two");

        book.Set(one, [both]);
        book.Set(two, [both]);
        Assert.Equal("add " + Text, book.Transaction(Park.Frame()));
        book.Commit(Park.Frame());

        book.Set(one, null);
        Assert.Equal("", book.Transaction(Park.Frame()));
        book.Set(two, null);
        Assert.Equal("delete " + Text, book.Transaction(Park.Frame()));
    }

    private static Element[] Elements(params string[] endpoints) =>
        ServiceElements.Of(Park.Plan(Park.Service(), Park.Here(), Park.Slice(endpoints))!, _ => 0);
}
