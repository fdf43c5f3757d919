namespace EdgeMesh.Tunnel.Wire;

/// <summary>How far a server is from the agent that says so.</summary>
/// <param name="Server">The server's boot id, first 8 bytes.</param>
/// <param name="Microseconds">Round trip.</param>
internal readonly record struct ServerDistance(ulong Server, uint Microseconds)
{
    /// <summary>Told anew: a quarter and 2 ms.</summary>
    public bool IsNews(uint before) => Math.Abs((long)Microseconds - before) > Math.Max(before / 4, 2000);
}
