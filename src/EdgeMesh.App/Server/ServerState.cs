using System.Text.Json;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;
using EdgeMesh.Server;

namespace EdgeMesh.App.Server;

/// <summary>What the server is doing, for health and <c>server status</c>. The host writes, any thread reads.</summary>
internal sealed class ServerState(ServerService server, TimeProvider time)
{
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(250);

    private volatile bool started;

    public void Started() => started = true;

    public string? WhyNotReady() => started ? null : "starting";

    public Task AnswerAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop) => request.Verb switch
    {
        "status" => reply(JsonSerializer.SerializeToUtf8Bytes(Report(), OpsJson.Default.ServerReport), stop),
        "drain" => DrainAsync(reply, stop),
        _ => throw new MeshException(MeshExit.Usage, $"this server ({ProgramVersion.Text}) does not know the verb '{request.Verb}'"),
    };

    // A line at once and one each time something has changed, until nothing is relayed or nobody listens.
    private async Task DrainAsync(OperatorReply reply, CancellationToken stop)
    {
        if (!started)
        {
            throw new MeshException(MeshExit.Unreachable, "the server is starting; ask again in a moment");
        }

        server.Drain();
        DrainReport? last = null;
        do
        {
            (int connected, int relaying) = server.Load;
            DrainReport next = new(connected, relaying);
            if (next != last)
            {
                await reply(JsonSerializer.SerializeToUtf8Bytes(next, OpsJson.Default.DrainReport), stop).ConfigureAwait(false);
                last = next;
            }

            await Task.Delay(DrainLook, time, stop).ConfigureAwait(false);
        }
        while (last.Relaying > 0);
    }

    private ServerReport Report()
    {
        if (!started)
        {
            throw new MeshException(MeshExit.Unreachable, "the server is starting; ask again in a moment");
        }

        ServerStatusReport status = server.Status;
        return new ServerReport
        {
            Version = ProgramVersion.Text,
            StartedAt = status.StartedAt,
            UptimeSeconds = (long)(time.GetUtcNow() - status.StartedAt).TotalSeconds,
            Listen = [.. status.Listen.Select(e => e.ToString())],
            SecondUdpPort = status.SecondUdpPort,
            Advertise = status.Advertise,
            CaFingerprint = status.CaFingerprint,
            JoinedTo = status.JoinedTo,
            OtherServers = status.OtherServers,
            Connected = [.. status.Agents.Select(Connected)],
            Relay = new RelayReport(
                status.UdpBytes, status.UdpFrames, status.SocketBytes, status.SocketFrames, status.StunAnswers, status.Dropped,
                status.QueuedBytes, status.FairShare, status.AbandonedHandshakes,
                new LimitsReport(
                    status.Limits.MaxAgents, status.Limits.AgentRate, status.Limits.TotalRate, status.Limits.AgentQueue, status.Limits.TotalQueue)),
            Memory = MemoryReport.Now(),
        };
    }

    private static ConnectedNodeReport Connected(AgentStatus agent) =>
        new(agent.Node.Value, agent.From?.ToString(), agent.IsUdp ? "udp" : "tls", agent.UdpAddress?.ToString(), agent.QueuedBytes);
}
