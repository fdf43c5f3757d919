using System.Text.Json;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;
using EdgeMesh.Server;

namespace EdgeMesh.App.Server;

/// <summary>What the server is doing, for health and <c>server status</c>. The host writes, any thread reads.</summary>
internal sealed class ServerState(ServerService server, TimeProvider time)
{
    private volatile bool started;

    public void Started() => started = true;

    public string? WhyNotReady() => started ? null : "starting";

    public Task AnswerAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop) => request.Verb == "status"
        ? reply(JsonSerializer.SerializeToUtf8Bytes(Report(), OpsJson.Default.ServerReport), stop)
        : throw new MeshException(MeshExit.Usage, $"this server ({ProgramVersion.Text}) does not know the verb '{request.Verb}'");

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
            Connected = [.. status.Agents.Select(Connected)],
            Relay = new RelayReport(
                status.UdpBytes, status.UdpFrames, status.SocketBytes, status.SocketFrames, status.StunAnswers, status.Dropped),
            Memory = MemoryReport.Now(),
        };
    }

    private static ConnectedNodeReport Connected(AgentStatus agent) =>
        new(agent.Node.Value, agent.IsUdp ? "udp" : "tls", agent.UdpAddress?.ToString(), agent.QueuedBytes);
}
