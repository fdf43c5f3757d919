namespace EdgeMesh.Lab;

/// <summary>A bridge hosts are plugged into; it lives in the namespace of <paramref name="host"/>.</summary>
public sealed class Switch(Host host, string bridge)
{
    private int ports;

    public Host Host => host;

    public string Bridge => bridge;

    internal string NextPort() => $"{bridge}p{++ports}";
}
