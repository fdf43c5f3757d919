namespace EdgeMesh.Lab;

/// <summary>What of a <see cref="PairLab"/> is not as usual.</summary>
public sealed record PairOptions
{
    /// <summary>How agents name the server, and it itself.</summary>
    public string Server { get; init; } = PairLab.ServerAddress;

    public IReadOnlyList<string> ServerArguments { get; init; } = ["--listen", "0.0.0.0:20006", "--listen", "0.0.0.0:443"];

    /// <summary>Of both agents.</summary>
    public IReadOnlyList<string> AgentArguments { get; init; } = [];

    /// <summary>
    /// Both sites are behind one router of their carrier, which sends what one of them sends to the other's outside address back in; null:
    /// each is on the internet by itself.
    /// </summary>
    public NatKind? Carrier { get; init; }

    /// <summary>By node.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> AgentEnvironment { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>();

    /// <summary>Adds to the network before anything runs.</summary>
    public Func<PairLab, CancellationToken, Task>? PrepareNetwork { get; init; }

    /// <summary>Adds to the network once the server runs, before the agents do.</summary>
    public Func<PairLab, CancellationToken, Task>? Prepare { get; init; }
}
