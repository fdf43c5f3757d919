using System.Diagnostics.Metrics;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel;

/// <summary>
/// The room's meter. What the loop counts per datagram are plain fields that only the loop writes; they are read when someone
/// asks.
/// </summary>
internal static class TunnelMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.Tunnel");
    private static readonly string[] PathNames = ["none", "relay-tls", "relay-udp", "direct", "lan"];
    private static readonly string[] StatusNames = ["ok", "refused", "unreachable", "not-mine", "busy", "peer-unreachable", "lost"];

    private static readonly Counter<long> Dials = Meter.CreateCounter<long>(
        "edgemesh_tunnel_dials", description: "Connections forwarded to peers, by the end of the attempt");

    static TunnelMetrics()
    {
        Meter.CreateObservableCounter("edgemesh_tunnel_sent_bytes", () => ByPath(Sent), "By", "Bytes of datagrams to peers, by path");
        Meter.CreateObservableCounter("edgemesh_tunnel_received_bytes", () => ByPath(Received), "By", "Bytes of datagrams from peers, by path");
        Meter.CreateObservableCounter("edgemesh_tunnel_path_switches", () => Switches, description: "Changes of the path of a connected peer");
        Meter.CreateObservableCounter("edgemesh_tunnel_probes", () => Probes, description: "Pings sent to addresses of peers");
        Meter.CreateObservableCounter("edgemesh_tunnel_probes_refused", () => ProbesRefused, description: "Probes of unknown peers or with a wrong seal");
        Meter.CreateObservableCounter("edgemesh_tunnel_packets_unknown", () => Unknown, description: "Datagrams that are nothing of the mesh's, or of another version");
        Meter.CreateObservableCounter("edgemesh_tunnel_answers", () => ByStatus(Answers), description: "Streams and flows of peers, by the answer given");
        Meter.CreateObservableGauge("edgemesh_tunnel_peers", () => Peers, description: "Connected peers");
        Meter.CreateObservableGauge("edgemesh_tunnel_servers", () => Servers, description: "Connected servers");
    }

    public static long[] Sent { get; } = new long[PathNames.Length];

    public static long[] Received { get; } = new long[PathNames.Length];

    public static long[] Answers { get; set; } = [];

    public static long Switches { get; set; }

    public static long Probes { get; set; }

    public static long ProbesRefused { get; set; }

    public static long Unknown { get; set; }

    public static int Peers { get; set; }

    public static int Servers { get; set; }

    public static void Dialled(DialStatus status) =>
        Dials.Add(1, new KeyValuePair<string, object?>("status", StatusNames[(int)status]));

    private static IEnumerable<Measurement<long>> ByPath(long[] values)
    {
        for (int i = 1; i < values.Length; i++)
        {
            yield return new Measurement<long>(values[i], new KeyValuePair<string, object?>("path", PathNames[i]));
        }
    }

    private static IEnumerable<Measurement<long>> ByStatus(long[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            yield return new Measurement<long>(values[i], new KeyValuePair<string, object?>("status", StatusNames[i]));
        }
    }
}
