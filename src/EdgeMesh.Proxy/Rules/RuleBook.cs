using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Rules;

/// <summary>
/// What the kernel's table should hold, and the difference since it was last written. One owner: the reconcile loop.
/// </summary>
internal sealed class RuleBook
{
    private readonly Dictionary<ServiceName, Element[]> desired = [];
    private readonly List<Element> removed = [];
    private readonly List<Element> added = [];
    private readonly Dictionary<Element, int> shared = [];
    private RuleFrame? written;

    public int ElementCount { get; private set; }

    /// <summary>Null or empty: the Service has no rules any more.</summary>
    public void Set(ServiceName service, Element[]? elements)
    {
        Element[] before = desired.GetValueOrDefault(service, []);
        elements ??= [];
        if (before.AsSpan().SequenceEqual(elements))
        {
            return;
        }

        Share(before, -1);
        Share(elements, 1);
        if (IsWritten)
        {
            Track(before, elements);
        }

        ElementCount += elements.Length - before.Length;
        if (elements.Length == 0)
        {
            desired.Remove(service);
        }
        else
        {
            desired[service] = elements;
        }
    }

    /// <summary>The kernel's table is unknown or gone: the next transaction replaces it.</summary>
    public void Forget()
    {
        written = null;
        removed.Clear();
        added.Clear();
    }

    public bool IsWritten => written is not null;

    /// <summary>The transaction that brings the kernel to the desired state; empty if it is there already.</summary>
    public string Transaction(RuleFrame frame)
    {
        bool isFull = written is null || written with { Outside = frame.Outside, RoutedBridges = frame.RoutedBridges, Fronts = frame.Fronts } != frame;
        return isFull ? Whole(frame)
            : RuleText.Difference(written, frame, removed, added);
    }

    /// <summary>The whole desired table, whatever the kernel has.</summary>
    public string Whole(RuleFrame frame) => RuleText.Full(frame, [.. desired.Values.SelectMany(e => e)]);

    /// <summary>The last transaction was committed.</summary>
    public void Commit(RuleFrame frame)
    {
        written = frame;
        removed.Clear();
        added.Clear();
    }

    /// <summary>Counts who has the elements that several Services can have.</summary>
    private void Share(Element[] elements, int by)
    {
        foreach (Element element in elements)
        {
            if (element.Set is RuleSetName.OffMesh or RuleSetName.Retry && (shared[element] = shared.GetValueOrDefault(element) + by) == 0)
            {
                shared.Remove(element);
            }
        }
    }

    private void Track(Element[] before, Element[] elements)
    {
        HashSet<Element> old = [.. before];
        HashSet<Element> now = [.. elements];
        foreach (Element element in before)
        {
            if (!now.Contains(element) && !shared.ContainsKey(element) && !added.Remove(element))
            {
                removed.Add(element);
            }
        }

        foreach (Element element in elements)
        {
            if (!old.Contains(element) && shared.GetValueOrDefault(element) <= 1 && !removed.Remove(element))
            {
                added.Add(element);
            }
        }
    }
}
