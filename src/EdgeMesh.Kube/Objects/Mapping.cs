namespace EdgeMesh.Kube;

/// <summary>The mapping of one object: where its strings are shared and its faults collected.</summary>
internal sealed class Mapping(StringPool pool, List<Fault> faults, ObjectKey subject, int line)
{
    private const int MaxFaults = 100;

    public StringPool Pool { get; } = pool;

    public ObjectKey Subject { get; } = subject;

    public bool IsBroken { get; private set; }

    public void Fault(int at, string reason)
    {
        IsBroken = true;
        Add(new Fault(at > 0 ? at : line, $"{Subject}: {reason}"));
    }

    public void Warn(int at, string reason) => Add(new Fault(at > 0 ? at : line, $"{Subject}: {reason}", IsWarning: true));

    // A field that is read twice complains twice. Nobody reads the hundredth fault of a file.
    private void Add(Fault fault)
    {
        if (faults.Count < MaxFaults && !faults.Contains(fault))
        {
            faults.Add(fault);
        }
    }
}
