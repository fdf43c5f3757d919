using System.Diagnostics.Metrics;

namespace EdgeMesh.Quic;

internal static class QuicMetrics
{
    // Counted per train, read by whoever scrapes: plain fields, because one loop writes them.
    public static long PacketsIn;
    public static long PacketsOut;
    public static long BytesIn;
    public static long BytesOut;
    public static long DatagramsDropped;

    private static readonly Meter Meter = new("EdgeMesh.Quic");

    public static readonly UpDownCounter<long> Connections =
        Meter.CreateUpDownCounter<long>("edgemesh_quic_connections", null, "Connections open now, handshakes included");

    public static readonly Counter<long> Closed =
        Meter.CreateCounter<long>("edgemesh_quic_connections_closed", null, "Connections ended, by kind");

    public static readonly Counter<long> ResetsSent =
        Meter.CreateCounter<long>("edgemesh_quic_stateless_resets_sent", null, "Stateless resets sent to peers of a former life");

    public static readonly Counter<long> PacketsUnknown =
        Meter.CreateCounter<long>("edgemesh_quic_packets_unknown", null, "Datagrams that belong to no connection and begin none");

    private static readonly ObservableCounter<long> PacketsInCounter =
        Meter.CreateObservableCounter("edgemesh_quic_packets_in", () => PacketsIn, null, "QUIC datagrams received");

    private static readonly ObservableCounter<long> PacketsOutCounter =
        Meter.CreateObservableCounter("edgemesh_quic_packets_out", () => PacketsOut, null, "QUIC datagrams sent");

    private static readonly ObservableCounter<long> BytesInCounter =
        Meter.CreateObservableCounter("edgemesh_quic_bytes_in", () => BytesIn, null, "Bytes of QUIC datagrams received");

    private static readonly ObservableCounter<long> BytesOutCounter =
        Meter.CreateObservableCounter("edgemesh_quic_bytes_out", () => BytesOut, null, "Bytes of QUIC datagrams sent");

    private static readonly ObservableCounter<long> DatagramsDroppedCounter = Meter.CreateObservableCounter(
        "edgemesh_quic_datagram_frames_dropped", () => DatagramsDropped, null, "DATAGRAM frames dropped: queue full or path too small");
}
