namespace EdgeMesh.App.Ops;

/// <summary>What verbs and agent agree on about the operator socket.</summary>
internal static class AgentSocket
{
    /// <summary>In the agent's state directory.</summary>
    public const string Name = "agent.sock";

    public const int MaxPings = 500;
}
