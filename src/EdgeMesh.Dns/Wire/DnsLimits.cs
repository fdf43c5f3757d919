namespace EdgeMesh.Dns;

/// <summary>Sizes of messages.</summary>
internal static class DnsLimits
{
    /// <summary>
    /// Largest datagram we take and give. Clients are on this node's own bridges, where 4,096 bytes travel safely; a client
    /// that advertises less gets less.
    /// </summary>
    public const ushort UdpPayload = 4096;

    /// <summary>Advertised to upstreams: fits every path without fragments (DNS flag day 2020).</summary>
    public const ushort UpstreamUdpPayload = 1232;

    public const int TcpMessage = 65535;
}
