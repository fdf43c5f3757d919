using System.Diagnostics.Metrics;

namespace EdgeMesh.Quic;

internal static class QuicMetrics
{
    private static long packetsIn;
    private static long packetsOut;
    private static long bytesIn;
    private static long bytesOut;
    private static long datagramsDropped;

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
        Meter.CreateObservableCounter("edgemesh_quic_packets_in", () => Interlocked.Read(ref packetsIn), null, "QUIC datagrams received");

    private static readonly ObservableCounter<long> PacketsOutCounter =
        Meter.CreateObservableCounter("edgemesh_quic_packets_out", () => Interlocked.Read(ref packetsOut), null, "QUIC datagrams sent");

    private static readonly ObservableCounter<long> BytesInCounter =
        Meter.CreateObservableCounter("edgemesh_quic_bytes_in", () => Interlocked.Read(ref bytesIn), null, "Bytes of QUIC datagrams received");

    private static readonly ObservableCounter<long> BytesOutCounter =
        Meter.CreateObservableCounter("edgemesh_quic_bytes_out", () => Interlocked.Read(ref bytesOut), null, "Bytes of QUIC datagrams sent");

    private static readonly ObservableCounter<long> DatagramsDroppedCounter = Meter.CreateObservableCounter(
        "edgemesh_quic_datagram_frames_dropped", () => Interlocked.Read(ref datagramsDropped), null, "DATAGRAM frames dropped: queue full or path too small");

    /// <summary>Datagrams of one train that came.</summary>
    public static void CountIn(int packets, int bytes)
    {
        Interlocked.Add(ref packetsIn, packets);
        Interlocked.Add(ref bytesIn, bytes);
    }

    /// <summary>Datagrams of one train that go, without the room for relay headers.</summary>
    public static void CountOut(int packets, int bytes)
    {
        Interlocked.Add(ref packetsOut, packets);
        Interlocked.Add(ref bytesOut, bytes);
    }

    public static void CountDropped() => Interlocked.Increment(ref datagramsDropped);
}
