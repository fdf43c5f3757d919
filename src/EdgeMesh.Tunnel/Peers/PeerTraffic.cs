namespace EdgeMesh.Tunnel.Peers;

/// <summary>Bytes of datagrams by path kind, their relay headers included. In the loop only.</summary>
internal sealed class PeerTraffic
{
    public long[] Sent { get; } = new long[(int)PathKind.Lan + 1];

    public long[] Received { get; } = new long[(int)PathKind.Lan + 1];
}
