using System.Diagnostics.Metrics;
using EdgeMesh.App.Metrics;

namespace EdgeMesh.Tests.Unit.App;

public sealed class MetricsCollectorTests : IDisposable
{
    private readonly Meter meter = new("EdgeMesh.TestApp");
    private readonly MetricsCollector collector = new();

    public MetricsCollectorTests() => collector.Start();

    public void Dispose()
    {
        collector.Dispose();
        meter.Dispose();
    }

    [Fact]
    public void AddsUpCountersByLabels()
    {
        Counter<long> counter = meter.CreateCounter<long>("testapp_requests_total", description: "Requests.");
        counter.Add(2, new KeyValuePair<string, object?>("code", 200));
        counter.Add(3, new KeyValuePair<string, object?>("code", 200));
        counter.Add(1, new KeyValuePair<string, object?>("code", 404));
        Assert.Equal(
            ["# HELP testapp_requests_total Requests.", "# TYPE testapp_requests_total counter",
                "testapp_requests_total{code=\"200\"} 5", "testapp_requests_total{code=\"404\"} 1"],
            Lines("testapp_requests_total").Order());
    }

    [Fact]
    public void ObservedGaugesAreReadAtEachScrapeAndVanishedSeriesGo()
    {
        List<Measurement<int>> now = [new(7, new KeyValuePair<string, object?>("peer", "a")), new(8, new KeyValuePair<string, object?>("peer", "b"))];
        meter.CreateObservableGauge("testapp_peers", () => now);
        Assert.Contains("testapp_peers{peer=\"a\"} 7", Lines("testapp_peers"));
        now.RemoveAt(0);
        List<string> lines = Lines("testapp_peers");
        Assert.DoesNotContain(lines, l => l.Contains("\"a\"", StringComparison.Ordinal));
        Assert.Contains("testapp_peers{peer=\"b\"} 8", lines);
    }

    [Fact]
    public void HistogramsHaveCumulativeBucketsSumAndCount()
    {
        Histogram<double> histogram = meter.CreateHistogram(
            "testapp_seconds", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (double value in new[] { 0.05, 0.1, 0.5, 3 })
        {
            histogram.Record(value);
        }

        Assert.Equal(
            ["testapp_seconds_bucket{le=\"0.1\"} 2", "testapp_seconds_bucket{le=\"1\"} 3", "testapp_seconds_bucket{le=\"+Inf\"} 4",
                "testapp_seconds_sum 3.65", "testapp_seconds_count 4"],
            Lines("testapp_seconds").Where(l => l[0] != '#'));
    }

    [Fact]
    public void GaugesAreSetAndUpDownCountersAdded()
    {
        Gauge<long> gauge = meter.CreateGauge<long>("testapp_level");
        gauge.Record(5);
        gauge.Record(3);
        UpDownCounter<long> open = meter.CreateUpDownCounter<long>("testapp_open");
        open.Add(5);
        open.Add(-2);
        Assert.Contains("testapp_level 3", Lines("testapp_level"));
        Assert.Contains("testapp_open 3", Lines("testapp_open"));
    }

    [Fact]
    public void LabelsAreEscaped()
    {
        meter.CreateCounter<int>("testapp_odd_total").Add(1, new KeyValuePair<string, object?>("what", "a\"b\\c\nd"));
        Assert.Contains("testapp_odd_total{what=\"a\\\"b\\\\c\\nd\"} 1", Lines("testapp_odd_total"));
    }

    [Fact]
    public void LabelSetsAreBounded()
    {
        Counter<int> counter = meter.CreateCounter<int>("testapp_many_total");
        for (int i = 0; i < 5000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("client", i));
        }

        List<string> lines = Lines("testapp_many_total");
        Assert.InRange(lines.Count, 1000, 1004);
        Assert.Contains("testapp_many_total{overflow=\"true\"} 4000", lines);
    }

    [Fact]
    public void RecordingAKnownSeriesAllocatesNothing()
    {
        Counter<long> counter = meter.CreateCounter<long>("testapp_hot_total");
        KeyValuePair<string, object?> label = new("code", "ok");
        counter.Add(1, label);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            counter.Add(1, label);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void OtherMetersAreLeftAlone()
    {
        using Meter other = new("Somebody.Else");
        other.CreateCounter<int>("testapp_foreign_total").Add(1);
        Assert.Empty(Lines("testapp_foreign_total"));
    }

    private List<string> Lines(string name) =>
        [.. collector.Scrape().Split('\n').Where(l => l.Contains(name, StringComparison.Ordinal))];
}
