using System.Diagnostics.Metrics;
using EdgeMesh.App.Host;

namespace EdgeMesh.App;

/// <summary>What the process itself measures.</summary>
internal static class AppMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.App");

    private static readonly ObservableGauge<int> Info = Meter.CreateObservableGauge(
        "edgemesh_app_info",
        () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", ProgramVersion.Text)),
        description: "Always 1; the label tells the version.");

    private static readonly ObservableGauge<long> Resident = Meter.CreateObservableGauge(
        "edgemesh_app_memory_resident_bytes", () => ProcessMemory.Read().Resident, description: "Resident memory (RSS).");

    private static readonly ObservableGauge<long> Heap = Meter.CreateObservableGauge(
        "edgemesh_app_memory_heap_bytes", () => GC.GetTotalMemory(forceFullCollection: false), description: "Managed heap.");

    private static readonly ObservableCounter<long> Allocated = Meter.CreateObservableCounter(
        "edgemesh_app_allocated_bytes_total", () => GC.GetTotalAllocatedBytes(), description: "Bytes allocated on the managed heap.");

    private static readonly ObservableCounter<double> Processor = Meter.CreateObservableCounter(
        "edgemesh_app_cpu_seconds_total", () => Environment.CpuUsage.TotalTime.TotalSeconds, description: "CPU time used.");

    private static readonly ObservableGauge<int> Threads = Meter.CreateObservableGauge(
        "edgemesh_app_threads", () => Directory.GetFileSystemEntries("/proc/self/task").Length, description: "Threads.");

    private static readonly ObservableGauge<int> Files = Meter.CreateObservableGauge(
        "edgemesh_app_open_files", () => Directory.GetFileSystemEntries("/proc/self/fd").Length, description: "Open files, sockets included.");

    /// <summary>A static class begins with its first use.</summary>
    public static void Touch() => GC.KeepAlive((Info, Resident, Heap, Allocated, Processor, Threads, Files));
}
