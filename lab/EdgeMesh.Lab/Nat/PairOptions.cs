namespace EdgeMesh.Lab;

/// <summary>What of a <see cref="PairLab"/> is not as usual.</summary>
public sealed record PairOptions
{
    /// <summary>How agents name the server, and it itself.</summary>
    public string Server { get; init; } = PairLab.ServerAddress;

    public IReadOnlyList<string> ServerArguments { get; init; } = ["--listen", "0.0.0.0:20006", "--listen", "0.0.0.0:443"];

    /// <summary>By node.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> AgentEnvironment { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>();

    /// <summary>Adds to the network once the server runs, before the agents do.</summary>
    public Func<PairLab, CancellationToken, Task>? Prepare { get; init; }
}
