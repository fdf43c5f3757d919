namespace EdgeMesh.Quic;

/// <param name="SmoothedRoundTrip">ns.</param>
/// <param name="MinRoundTrip">ns.</param>
/// <param name="CongestionWindow">Bytes.</param>
/// <param name="BytesInFlight">Bytes.</param>
/// <param name="BytesIn">Bytes of datagrams received.</param>
/// <param name="BytesOut">Bytes of datagrams sent.</param>
/// <param name="PacketsIn">Datagrams received.</param>
/// <param name="PacketsOut">Datagrams sent.</param>
/// <param name="Timeouts">Probe time-outs in a row right now: 0 on a healthy path.</param>
public readonly record struct QuicConnectionStats(
    long SmoothedRoundTrip,
    long MinRoundTrip,
    long CongestionWindow,
    long BytesInFlight,
    long BytesIn,
    long BytesOut,
    long PacketsIn,
    long PacketsOut,
    int Timeouts);
