using EdgeMesh.Dns;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>What of the agent runs so far, for the operator's questions. The host writes, any thread reads.</summary>
internal sealed class AgentState(AgentOptions options, TimeProvider time)
{
    private volatile string? doing = "starting";
    private volatile Func<SourceStatus>? source;
    private volatile TunnelService? tunnel;
    private volatile ProxyService? proxy;
    private volatile DnsService? dns;

    public AgentOptions Options => options;

    public SnapshotCell Cell { get; } = new();

    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    public TimeSpan Uptime => time.GetUtcNow() - StartedAt;

    public SourceStatus? Source => source?.Invoke();

    public TunnelService? Tunnel => tunnel;

    public ProxyService? Proxy => proxy;

    public bool ProxyRuns => proxy is not null;

    public DnsService? DnsService => dns;

    public DnsStatus? Dns => dns?.Status;

    /// <summary>Null when the agent serves; else what it is still doing, or what is missing.</summary>
    public string? WhyNotReady() => doing ?? (Cell.Current.IsSynced ? null : "no Services have been read yet");

    public void Enter(string phase) => doing = phase;

    public void Reads(Func<SourceStatus> status) => source = status;

    public void Runs(TunnelService started) => tunnel = started;

    public void Runs(ProxyService started) => proxy = started;

    public void Runs(DnsService started) => dns = started;

    public void Started() => doing = null;
}
