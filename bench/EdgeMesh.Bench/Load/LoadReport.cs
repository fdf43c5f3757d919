using EdgeMesh.Lab;

namespace EdgeMesh.Bench.Load;

internal sealed class LoadReport(int agents)
{
    public ProcessUse Empty { get; init; }

    public TimeSpan Enrolled { get; set; }

    public TimeSpan FirstStart { get; set; }

    public ProcessUse AtRest { get; set; }

    public double RestCores { get; set; }

    public List<Fairness> Relayed { get; } = [];

    public TimeSpan Readmitted { get; set; }

    public string Write() => $"{agents}";
}
