using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

internal static partial class KubeLog
{
    [LoggerMessage(1, LogLevel.Information, "manifests read from {Directory}: {Files} files, {Services} Services, {Slices} EndpointSlices, {Nodes} Nodes")]
    public static partial void ManifestsRead(ILogger log, string directory, int files, int services, int slices, int nodes);

    [LoggerMessage(2, LogLevel.Information, "manifests changed: {Files} ({Services} Services, {Nodes} Nodes changed)")]
    public static partial void ManifestsChanged(ILogger log, string files, int services, int nodes);

    [LoggerMessage(3, LogLevel.Warning, "{Problem}")]
    public static partial void Problem(ILogger log, SourceProblem problem);

    [LoggerMessage(4, LogLevel.Information, "mended: {Problem}")]
    public static partial void Mended(ILogger log, SourceProblem problem);

    [LoggerMessage(5, LogLevel.Debug, "{File}:{Line}: {Kind} is nothing the mesh uses")]
    public static partial void KindIgnored(ILogger log, string file, int line, string kind);

    [LoggerMessage(6, LogLevel.Warning, "{Directory} cannot be watched, it is read every {Seconds} s instead: {Reason}")]
    public static partial void CannotWatch(ILogger log, string directory, double seconds, string reason);

    [LoggerMessage(7, LogLevel.Debug, "the watch on {Directory} is renewed: {Reason}")]
    public static partial void WatchRenewed(ILogger log, string directory, string reason);

    [LoggerMessage(8, LogLevel.Error, "reading {Directory} failed, it is tried again")]
    public static partial void ReadFailed(ILogger log, Exception fault, string directory);

    [LoggerMessage(9, LogLevel.Warning, "the snapshot {File} is unusable and was set aside as {Aside}: {Reason}")]
    public static partial void SnapshotSetAside(ILogger log, string file, string aside, string reason);

    [LoggerMessage(11, LogLevel.Information, "last good state read from {File}: {Objects} objects, saved {SavedAt:O}")]
    public static partial void SnapshotRestored(ILogger log, string file, int objects, DateTimeOffset savedAt);

    [LoggerMessage(12, LogLevel.Warning, "the snapshot {File} cannot be read: {Reason}")]
    public static partial void SnapshotUnreadable(ILogger log, string file, string reason);

    [LoggerMessage(13, LogLevel.Warning, "the last good state cannot be written to {File}: {Reason}")]
    public static partial void SnapshotNotWritten(ILogger log, string file, string reason);

    [LoggerMessage(20, LogLevel.Information, "{Api}: {Path} is answered again")]
    public static partial void ApiAnswers(ILogger log, string api, string path);

    [LoggerMessage(21, LogLevel.Warning, "{Api}: {Path} cannot be read, the last good state stays in force: {Reason}")]
    public static partial void ApiFails(ILogger log, string api, string path, string reason);

    [LoggerMessage(22, LogLevel.Debug, "{Path} is listed anew: {Reason}")]
    public static partial void Relists(ILogger log, string path, string reason);

    [LoggerMessage(23, LogLevel.Debug, "the watch of {Path} has ended: {Reason}")]
    public static partial void WatchEnds(ILogger log, string path, string reason);

    [LoggerMessage(24, LogLevel.Information, "Services come from {Api}")]
    public static partial void ApiChosen(ILogger log, string api);

    [LoggerMessage(25, LogLevel.Information, "{Api}: synced, {Services} Services, {Slices} EndpointSlices, {Nodes} Nodes")]
    public static partial void ApiSynced(ILogger log, string api, int services, int slices, int nodes);

    [LoggerMessage(26, LogLevel.Warning, "no Kubernetes API answers yet, serving the state of {SavedAt:u}: {Tried}")]
    public static partial void ServingFromDisk(ILogger log, DateTimeOffset savedAt, string tried);

    [LoggerMessage(10, LogLevel.Debug, "snapshot written to {File}: {Bytes} bytes")]
    public static partial void SnapshotWritten(ILogger log, string file, long bytes);
}
