using System.Collections.Immutable;
using System.Diagnostics.Metrics;

using EdgeMesh.Server.Relay;
using EdgeMesh.Server.Sessions;

namespace EdgeMesh.Server;

/// <summary>The room's meter. The relay counts for itself; the meter asks it when somebody looks.</summary>
internal static class ServerMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.Server");

    private static readonly Counter<long> Enrolments =
        Meter.CreateCounter<long>("edgemesh_server_enrolments_total", description: "Nodes that got their first certificate");

    private static readonly Counter<long> Renewals =
        Meter.CreateCounter<long>("edgemesh_server_renewals_total", description: "Certificates renewed");

    private static readonly Counter<long> Refusals =
        Meter.CreateCounter<long>("edgemesh_server_refusals_total", description: "Requests refused, by code");

    private static ImmutableList<LiveServer> live = [];

    static ServerMetrics()
    {
        Meter.CreateObservableGauge("edgemesh_server_agents", () => live.Sum(server => server.Sessions.Count), description: "Agents connected");
        Meter.CreateObservableCounter("edgemesh_server_relay_bytes_total", Bytes, description: "Bytes relayed, by the receiver's leg");
        Meter.CreateObservableCounter("edgemesh_server_relay_frames_total", Frames, description: "Frames relayed, by the receiver's leg");
        Meter.CreateObservableCounter("edgemesh_server_dropped_total", Drops, description: "Frames and datagrams dropped, by reason");
        Meter.CreateObservableGauge("edgemesh_server_relay_fair_share_bytes", () => live.Sum(server => server.Shares.Share ?? 0), description: "Bytes a second that one agent may send while all want more than there is; else 0");
        Meter.CreateObservableGauge("edgemesh_server_relay_queued_bytes", () => live.Sum(server => server.Budget.Used), description: "Bytes waiting for all WebSockets");
        Meter.CreateObservableCounter("edgemesh_server_handshakes_abandoned_total", () => live.Sum(server => server.Gate.Abandoned), description: "Clients that had given up when their turn for TLS came");
        Meter.CreateObservableCounter("edgemesh_server_stun_answers_total", () => live.Sum(server => server.Counters.StunAnswers), description: "STUN Binding requests answered");
        Meter.CreateObservableCounter("edgemesh_server_hellos_total", () => live.Sum(server => server.Counters.Hellos), description: "UDP hellos answered");
    }

    public static void Enrolled() => Enrolments.Add(1);

    public static void Renewed() => Renewals.Add(1);

    public static void Refused(string code) => Refusals.Add(1, new KeyValuePair<string, object?>("code", code));

    public static void Add(LiveServer server) => ImmutableInterlocked.Update(ref live, list => list.Add(server));

    public static void Remove(LiveServer server) => ImmutableInterlocked.Update(ref live, list => list.Remove(server));

    /// <summary>As labels and reports name it: <c>queue-full</c>.</summary>
    public static string NameOf(DropReason reason) => reason switch
    {
        DropReason.Malformed => "malformed",
        DropReason.Version => "version",
        DropReason.Session => "session",
        DropReason.Address => "address",
        DropReason.PeerGone => "peer-gone",
        DropReason.TooBig => "too-big",
        DropReason.AgentRate => "agent-rate",
        DropReason.FairShare => "fair-share",
        DropReason.TotalRate => "total-rate",
        DropReason.QueueFull => "queue-full",
        _ => "socket-full",
    };

    private static IEnumerable<Measurement<long>> Bytes() =>
    [
        new(live.Sum(server => server.Counters.UdpBytes), new KeyValuePair<string, object?>("leg", "udp")),
        new(live.Sum(server => server.Counters.SocketBytes), new KeyValuePair<string, object?>("leg", "tls")),
    ];

    private static IEnumerable<Measurement<long>> Frames() =>
    [
        new(live.Sum(server => server.Counters.UdpFrames), new KeyValuePair<string, object?>("leg", "udp")),
        new(live.Sum(server => server.Counters.SocketFrames), new KeyValuePair<string, object?>("leg", "tls")),
    ];

    private static IEnumerable<Measurement<long>> Drops()
    {
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            yield return new Measurement<long>(
                live.Sum(server => server.Counters.Dropped(reason)), new KeyValuePair<string, object?>("reason", NameOf(reason)));
        }
    }
}
