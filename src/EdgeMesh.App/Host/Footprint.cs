using System.Runtime;

namespace EdgeMesh.App.Host;

/// <summary>Gives back what starting took: parsers, certificates and handshakes leave garbage that an idle process would keep.</summary>
internal static class Footprint
{
    public static void Shrink()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
