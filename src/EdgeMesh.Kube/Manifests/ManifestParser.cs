using System.Collections.Immutable;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>The text of a file to its content; never throws for what stands in the file.</summary>
internal sealed class ManifestParser(StringPool pool, ILogger log)
{
    // Far above any real manifest, far below what would hurt a board with 512 MB.
    private const long MaxFileBytes = 64 << 20;

    // A file that is something else entirely has a fault on every line; the operator needs the first ones.
    private const int MaxFaults = 20;

    public ManifestContent Parse(string file, Stream text)
    {
        if (text.Length > MaxFileBytes)
        {
            return Broken(0, $"larger than {MaxFileBytes >> 20} MiB");
        }

        List<MappedObject> objects = [];
        List<Fault> faults = [];
        ObjectMapper mapper = new(pool, (kind, line) => KubeLog.KindIgnored(log, file, line, kind));
        try
        {
            if (file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            {
                ReadJson(text, mapper, objects, faults);
            }
            else
            {
                foreach (Datum document in YamlReader.Read(text))
                {
                    mapper.Map(document, objects, faults);
                }
            }
        }
        catch (DocumentException fault)
        {
            faults.Add(new Fault(fault.Line, fault.Message));
        }

        FindDoubles(objects, faults);
        FindUnreachable(objects, faults);
        faults.Sort(static (a, b) => a.Line.CompareTo(b.Line));
        return new ManifestContent([.. objects], [.. faults.Take(MaxFaults)]);
    }

    public static ManifestContent Broken(int line, string reason) => new([], [new Fault(line, reason)]);

    private void ReadJson(Stream text, ObjectMapper mapper, List<MappedObject> objects, List<Fault> faults)
    {
        byte[] bytes = new byte[text.Length];
        int length = text.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (bytes.AsSpan(0, length).ContainsAnyExcept(" \t\r\n"u8))
        {
            mapper.Map(JsonReader.Read(bytes.AsSpan(0, length), pool, countLines: true), objects, faults);
        }
    }

    private static void FindDoubles(List<MappedObject> objects, List<Fault> faults)
    {
        Dictionary<ObjectKey, int> lines = [];
        foreach (MappedObject each in objects)
        {
            if (!lines.TryAdd(each.Key, each.Line))
            {
                faults.Add(new Fault(each.Line, $"{each.Key} stands twice in this file, first on line {lines[each.Key]}"));
            }
        }
    }

    // In a cluster the API server gives such a Service an address; without one nobody does.
    private static void FindUnreachable(List<MappedObject> objects, List<Fault> faults)
    {
        foreach (MappedObject each in objects)
        {
            if (each.Value is Service { ClusterIPs.IsEmpty: true, IsHeadless: false, Type: not ServiceType.ExternalName })
            {
                faults.Add(new Fault(
                    each.Line,
                    $"{each.Key}: spec.clusterIP is missing and nothing assigns one without an API server: give an address or None",
                    IsWarning: true));
            }
        }
    }
}
