namespace EdgeMesh.Quic;

public sealed record UdpSocketOptions
{
    /// <summary>SO_MARK, so that our own rules leave our packets alone. Needs CAP_NET_ADMIN.</summary>
    public int? Mark { get; init; }

    /// <summary>Receive and send buffer, forced with CAP_NET_ADMIN, else as much as the kernel grants.</summary>
    public int BufferBytes { get; init; } = 8 << 20;

    /// <summary>Set DF and ignore the kernel's idea of the path MTU (IP_PMTUDISC_PROBE): the path layer probes itself.</summary>
    public bool DontFragment { get; init; } = true;

    /// <summary>For <see cref="UdpSocket.OpenGroup"/>: QUIC datagrams may stand behind a header that begins with this byte and is this long.</summary>
    public (byte FirstByte, int Length)? Wrapper { get; init; }
}
