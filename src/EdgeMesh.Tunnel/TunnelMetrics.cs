using System.Diagnostics.Metrics;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel;

/// <summary>
/// The room's meter. What is counted per train are fields, written by all shards and read when someone asks.
/// </summary>
internal static class TunnelMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.Tunnel");
    private static readonly string[] PathNames = ["none", "relay-tls", "relay-udp", "direct", "lan"];
    private static readonly string[] StatusNames = ["ok", "refused", "unreachable", "not-mine", "busy", "peer-unreachable", "lost"];

    private static readonly Counter<long> Dials = Meter.CreateCounter<long>(
        "edgemesh_tunnel_dials", description: "Connections forwarded to peers, by the end of the attempt");

    private static readonly Counter<long> HandOvers = Meter.CreateCounter<long>(
        "edgemesh_tunnel_handovers", description: "Datagrams that came to another thread than their peer's and were handed over, or dropped as too many waited");

    private static readonly long[] SentByPath = new long[PathNames.Length];
    private static readonly long[] ReceivedByPath = new long[PathNames.Length];
    private static long switches;
    private static long probes;
    private static long probesRefused;
    private static long unknown;
    private static int peers;

    static TunnelMetrics()
    {
        Meter.CreateObservableCounter("edgemesh_tunnel_sent_bytes", () => ByPath(SentByPath), "By", "Bytes of datagrams to peers, by path");
        Meter.CreateObservableCounter("edgemesh_tunnel_received_bytes", () => ByPath(ReceivedByPath), "By", "Bytes of datagrams from peers, by path");
        Meter.CreateObservableCounter("edgemesh_tunnel_path_switches", () => Interlocked.Read(ref switches), description: "Changes of the path of a connected peer");
        Meter.CreateObservableCounter("edgemesh_tunnel_probes", () => Interlocked.Read(ref probes), description: "Pings sent to addresses of peers");
        Meter.CreateObservableCounter("edgemesh_tunnel_probes_refused", () => Interlocked.Read(ref probesRefused), description: "Probes of unknown peers or with a wrong seal");
        Meter.CreateObservableCounter("edgemesh_tunnel_packets_unknown", () => Interlocked.Read(ref unknown), description: "Datagrams that are nothing of the mesh's, or of another version");
        Meter.CreateObservableCounter("edgemesh_tunnel_answers", () => ByStatus(Answers), description: "Streams and flows of peers, by the answer given");
        Meter.CreateObservableGauge("edgemesh_tunnel_peers", () => Volatile.Read(ref peers), description: "Connected peers");
        Meter.CreateObservableGauge("edgemesh_tunnel_servers", () => Servers, description: "Connected servers");
    }

    public static long[] Answers { get; set; } = [];

    public static int Servers { get; set; }

    public static void CountSent(PathKind kind, int bytes) => Interlocked.Add(ref SentByPath[(int)kind], bytes);

    public static void CountReceived(PathKind kind, int bytes) => Interlocked.Add(ref ReceivedByPath[(int)kind], bytes);

    public static void CountSwitch() => Interlocked.Increment(ref switches);

    public static void CountProbe() => Interlocked.Increment(ref probes);

    public static void CountProbeRefused() => Interlocked.Increment(ref probesRefused);

    public static void CountUnknown() => Interlocked.Increment(ref unknown);

    public static void CountPeer(int change) => Interlocked.Add(ref peers, change);

    public static void CountHandOver(bool taken) =>
        HandOvers.Add(1, new KeyValuePair<string, object?>("outcome", taken ? "taken" : "dropped"));

    public static void Dialled(DialStatus status) =>
        Dials.Add(1, new KeyValuePair<string, object?>("status", StatusNames[(int)status]));

    private static IEnumerable<Measurement<long>> ByPath(long[] values)
    {
        for (int i = 1; i < values.Length; i++)
        {
            yield return new Measurement<long>(Interlocked.Read(ref values[i]), new KeyValuePair<string, object?>("path", PathNames[i]));
        }
    }

    private static IEnumerable<Measurement<long>> ByStatus(long[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            yield return new Measurement<long>(Interlocked.Read(ref values[i]), new KeyValuePair<string, object?>("status", StatusNames[i]));
        }
    }
}
