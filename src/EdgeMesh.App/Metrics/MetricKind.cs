namespace EdgeMesh.App.Metrics;

internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}
