using EdgeMesh.Lab;

namespace EdgeMesh.Demo;

/// <summary>One call of the announcement: who calls which Service, and the path the traffic should end up on.</summary>
internal sealed record Scenario(string Title, Pod Client, ParkService Service, string ExpectedPath);

/// <summary>What happened when a scenario was played.</summary>
internal sealed record ScenarioOutcome(
    Scenario Scenario, string Name, string DnsAnswer, string Path, string AgentSays, double FirstByteMilliseconds, double GigabitsPerSecond,
    string Udp, IReadOnlyList<string> Faults);
