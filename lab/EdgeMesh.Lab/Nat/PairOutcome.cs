namespace EdgeMesh.Lab;

/// <summary>All tries of one pair.</summary>
public sealed record PairOutcome(Site A, Site B)
{
    public int Tries { get; set; }

    /// <summary>Tries in which the first request was answered.</summary>
    public int Reached { get; set; }

    /// <summary>ms from the first packet to the direct path, of the tries that got one.</summary>
    public List<double> Direct { get; } = [];

    /// <summary>ms to the first answer.</summary>
    public List<double> FirstAnswer { get; } = [];

    public string Fault { get; set; } = "";

    public bool IsGood => Reached == Tries && Site.Of(A, B) switch
    {
        Expectation.Direct => Direct.Count == Tries,
        Expectation.Lucky => Direct.Count > Tries * 0.8,
        _ => true,
    };
}
