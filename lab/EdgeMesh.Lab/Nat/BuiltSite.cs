namespace EdgeMesh.Lab;

public sealed record BuiltSite(Node Node, IReadOnlyList<Router> Routers, LabProcess? Mapper)
{
    /// <summary>All mappings of earlier tries are gone.</summary>
    public async Task ForgetAsync(CancellationToken stop)
    {
        foreach (Router router in Routers)
        {
            await router.ForgetAsync(stop);
        }
    }
}
