using EdgeMesh.App.Host;

namespace EdgeMesh.App.Ops;

/// <summary>Memory of the answering process, in bytes.</summary>
internal sealed record MemoryReport(long Resident, long Anonymous, long ManagedHeap)
{
    public static MemoryReport Now()
    {
        ProcessMemory memory = ProcessMemory.Read();
        return new MemoryReport(memory.Resident, memory.Anonymous, GC.GetTotalMemory(forceFullCollection: false));
    }
}
