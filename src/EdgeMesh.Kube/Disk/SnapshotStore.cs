using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>
/// The last good state on disk, so that an agent that starts with its source out of reach serves from it. The file is text:
/// <code>
/// edgemesh-snapshot 1
/// {SHA-256 of everything below, hex}
/// {time of writing, ISO 8601} {number of objects}
/// {one Kubernetes object as JSON a line}
/// </code>
/// It is written beside its place and renamed, so a crash leaves the old file. A file that is not whole is set aside.
/// </summary>
/// <param name="stateDirectory">Directory of the agent; it exists.</param>
/// <param name="time">Gives the time of writing.</param>
/// <param name="logs">For the log of this class.</param>
/// <remarks>One caller at a time.</remarks>
public sealed class SnapshotStore(string stateDirectory, TimeProvider time, ILoggerFactory logs)
{
    private const string Magic = "edgemesh-snapshot";
    private const string Version = "1";
    private const int HashLength = 64;

    // The API server refuses objects above 1.5 MB.
    private const int MaxLine = 4 << 20;

    private readonly ILogger log = logs.CreateLogger("EdgeMesh.Kube.Snapshot");
    private readonly string file = System.IO.Path.Combine(stateDirectory, "model.snapshot");

    /// <summary>Where the snapshot is.</summary>
    public string Path => file;

    /// <summary>Replaces the file.</summary>
    /// <exception cref="IOException">The disk refuses; the old file stays.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public void Save(MeshSnapshot snapshot)
    {
        string fresh = file + ".new";
        FileStreamOptions options = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 64 << 10,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        long length;
        using (FileStream stream = new(fresh, options))
        {
            string head = $"{Magic} {Version}\n";
            stream.Write(Encoding.ASCII.GetBytes(head + new string('0', HashLength) + "\n"));
            byte[] hash = WriteBody(stream, snapshot);
            length = stream.Position;
            stream.Position = head.Length;
            stream.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash)));

            // The rename must not reach the disk before the content does.
            stream.Flush(flushToDisk: true);
        }

        File.Move(fresh, file, overwrite: true);
        KubeMetrics.SnapshotWritten(length);
        KubeLog.SnapshotWritten(log, file, length);
    }

    /// <summary>
    /// Puts the saved objects into an update and marks it synced. False, with nothing put, when there is no file or it is not
    /// whole; then it has been set aside under another name.
    /// </summary>
    /// <param name="update">An update on top of an empty snapshot.</param>
    /// <param name="savedAt">When the state was good.</param>
    public bool TryRestore(MeshUpdate update, out DateTimeOffset savedAt)
    {
        savedAt = default;
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            List<MappedObject> objects = ReadAll(stream, out savedAt);
            foreach (MappedObject each in objects)
            {
                each.PutInto(update);
            }

            update.MarkSynced();
            KubeLog.SnapshotRestored(log, file, objects.Count, savedAt);
            return true;
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (DocumentException fault)
        {
            SetAside(fault.Message);
            return false;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            KubeLog.SnapshotUnreadable(log, file, fault.Message);
            return false;
        }
    }

    /// <summary>
    /// Saves every synced state of the cell until stopped, at most one per <paramref name="pause"/> (flash cards wear out), and
    /// the last one at the end. A disk that refuses is logged and tried again with the next change.
    /// </summary>
    private const int SaveShare = 300;

    public async Task KeepAsync(SnapshotCell cell, TimeSpan pause, CancellationToken stop)
    {
        using SnapshotSubscription changes = cell.Subscribe();
        MeshSnapshot saved = MeshSnapshot.Empty;
        try
        {
            while (true)
            {
                await changes.NextAsync(stop).ConfigureAwait(false);
                long began = time.GetTimestamp();
                saved = TrySave(cell.Current, saved);

                // Saving costs in proportion to the cluster: in one that never rests it may cost 0.3 % of a core, no more.
                TimeSpan rest = SaveShare * time.GetElapsedTime(began);
                await Task.Delay(rest > pause ? rest : pause, time, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            TrySave(cell.Current, saved);
        }
    }

    private MeshSnapshot TrySave(MeshSnapshot snapshot, MeshSnapshot saved)
    {
        if (!snapshot.IsSynced || ReferenceEquals(snapshot, saved))
        {
            return saved;
        }

        try
        {
            Save(snapshot);
            return snapshot;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            KubeLog.SnapshotNotWritten(log, file, fault.Message);
            return saved;
        }
    }

    private byte[] WriteBody(FileStream stream, MeshSnapshot snapshot)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ArrayBufferWriter<byte> line = new(4096);
        using Utf8JsonWriter json = new(line);
        int count = snapshot.Nodes.Count
            + snapshot.Services.Values.Sum(static state => state.Slices.Length + state.Rules.Length + (state.Service is null ? 0 : 1));
        line.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():O} {count}")));
        EndLine();
        foreach (Node node in snapshot.Nodes.Values)
        {
            ObjectWriter.Write(json, node);
            EndLine();
        }

        foreach (ServiceState state in snapshot.Services.Values)
        {
            if (state.Service is Service service)
            {
                ObjectWriter.Write(json, service);
                EndLine();
            }

            foreach (EndpointSlice slice in state.Slices)
            {
                ObjectWriter.Write(json, slice);
                EndLine();
            }

            foreach (BalancingRule rule in state.Rules)
            {
                ObjectWriter.Write(json, rule);
                EndLine();
            }
        }

        return hash.GetHashAndReset();

        void EndLine()
        {
            json.Flush();
            line.Write("\n"u8);
            hash.AppendData(line.WrittenSpan);
            stream.Write(line.WrittenSpan);
            line.ResetWrittenCount();
            json.Reset();
        }
    }

    private List<MappedObject> ReadAll(FileStream stream, out DateTimeOffset savedAt)
    {
        string head = $"{Magic} {Version}\n";
        byte[] start = new byte[head.Length + HashLength + 1];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length
            || Encoding.ASCII.GetString(start, 0, head.Length) != head
            || start[^1] != '\n')
        {
            throw new DocumentException(1, $"it is no snapshot of version {Version}");
        }

        string expected = Encoding.ASCII.GetString(start, head.Length, HashLength);
        if (Convert.ToHexStringLower(SHA256.HashData(stream)) != expected)
        {
            throw new DocumentException(2, "its checksum is wrong");
        }

        stream.Position = start.Length;
        using LineReader lines = new(stream, MaxLine);
        if (!lines.TryRead(out ReadOnlySpan<byte> title) || !TryReadTitle(Encoding.ASCII.GetString(title), out savedAt, out int count))
        {
            throw new DocumentException(3, "it does not say when it was written");
        }

        List<MappedObject> objects = new(count);
        List<Fault> faults = [];
        StringPool pool = new();
        ObjectMapper mapper = new(pool);
        while (lines.TryRead(out ReadOnlySpan<byte> line))
        {
            mapper.Map(JsonReader.Read(line, pool, countLines: false), objects, faults);
        }

        if (faults.Exists(static fault => !fault.IsWarning) || objects.Count != count)
        {
            throw new DocumentException(0, faults.Count > 0 ? faults[0].Reason : $"it holds {objects.Count} objects instead of {count}");
        }

        return objects;
    }

    private static bool TryReadTitle(string text, out DateTimeOffset savedAt, out int count)
    {
        count = 0;
        string[] parts = text.Split(' ');
        return DateTimeOffset.TryParseExact(
                parts[0], "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out savedAt)
            && parts.Length == 2
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out count);
    }

    private void SetAside(string reason)
    {
        string aside = file + ".corrupt";
        try
        {
            File.Move(file, aside, overwrite: true);
            KubeLog.SnapshotSetAside(log, file, aside, reason);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            KubeLog.SnapshotUnreadable(log, file, $"{reason}, and it cannot be set aside: {fault.Message}");
        }
    }
}
