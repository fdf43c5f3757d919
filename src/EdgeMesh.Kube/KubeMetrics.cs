using System.Diagnostics.Metrics;

namespace EdgeMesh.Kube;

internal static class KubeMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.Kube");

    private static readonly Gauge<int> Synced =
        Meter.CreateGauge<int>("edgemesh_kube_synced", description: "1 once the source has been read completely");

    private static readonly Gauge<int> FromDisk =
        Meter.CreateGauge<int>("edgemesh_kube_from_disk", description: "1 while Services are served from the state on disk because no API has been read since the start");

    private static readonly Gauge<int> Problems =
        Meter.CreateGauge<int>("edgemesh_kube_problems", description: "Faults in the source that wait to be mended");

    private static readonly Gauge<int> Objects =
        Meter.CreateGauge<int>("edgemesh_kube_objects", description: "Objects in force, by kind");

    private static readonly Counter<long> Changes =
        Meter.CreateCounter<long>("edgemesh_kube_changes_total", description: "Updates of the model that were published");

    private static readonly Counter<long> Reads =
        Meter.CreateCounter<long>("edgemesh_kube_file_reads_total", description: "Manifest files parsed, by result");

    private static readonly Gauge<long> SnapshotBytes =
        Meter.CreateGauge<long>("edgemesh_kube_snapshot_bytes", description: "Size of the last good state on disk");

    private static readonly KeyValuePair<string, object?> Good = new("result", "good");
    private static readonly KeyValuePair<string, object?> Broken = new("result", "broken");

    public static void FileRead(bool isBroken) => Reads.Add(1, isBroken ? Broken : Good);

    public static void SnapshotWritten(long bytes) => SnapshotBytes.Record(bytes);

    public static void Changed() => Changes.Add(1);

    public static void ShowFromDisk(bool isFromDisk) => FromDisk.Record(isFromDisk ? 1 : 0);

    public static void Show(SourceStatus status)
    {
        Synced.Record(status.Synced ? 1 : 0);
        Problems.Record(status.Problems.Length);
        Objects.Record(status.Services, new KeyValuePair<string, object?>("kind", "Service"));
        Objects.Record(status.EndpointSlices, new KeyValuePair<string, object?>("kind", "EndpointSlice"));
        Objects.Record(status.Nodes, new KeyValuePair<string, object?>("kind", "Node"));
    }
}
