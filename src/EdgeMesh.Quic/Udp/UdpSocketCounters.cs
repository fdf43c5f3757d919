namespace EdgeMesh.Quic;

/// <param name="PacketsIn">Datagrams received.</param>
/// <param name="BytesIn">Their payload bytes.</param>
/// <param name="CallsIn">System calls that returned something.</param>
/// <param name="PacketsOut">Datagrams sent.</param>
/// <param name="BytesOut">Their payload bytes.</param>
/// <param name="CallsOut">System calls that sent something.</param>
/// <param name="Dropped">Datagrams that could not be sent (full, too big, unreachable) or came cut off.</param>
public readonly record struct UdpSocketCounters(
    long PacketsIn, long BytesIn, long CallsIn, long PacketsOut, long BytesOut, long CallsOut, long Dropped);
