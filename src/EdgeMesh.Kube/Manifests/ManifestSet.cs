using System.Collections.Immutable;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// The files of a directory and what they add up to. An object that stands in several files is taken from the first by name,
/// whatever the history, so that a restart gives the same model; the other files are reported. No I/O, one caller at a time.
/// A change costs in proportion to the file that changed.
/// </summary>
internal sealed class ManifestSet
{
    private readonly SortedDictionary<string, ManifestFile> files = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectKey, Claim> claims = [];
    private readonly HashSet<ObjectKey> contested = [];
    private readonly int[] counts = new int[4];

    public IEnumerable<string> Files => files.Keys;

    public int Count => files.Count;

    public int CountOf(ObjectKind kind) => counts[(int)kind];

    /// <summary>True when the file has objects in force.</summary>
    public bool HasObjects(string file) => files.TryGetValue(file, out ManifestFile? known) && !known.InForce.IsEmpty;

    /// <summary>Takes a file's new content over; broken content leaves the file's last good state in force.</summary>
    public void Put(string file, ManifestContent content, MeshUpdate update)
    {
        ManifestFile old = files.GetValueOrDefault(file, ManifestFile.New);
        if (content.IsBroken)
        {
            files[file] = old with { Faults = content.Faults };
            return;
        }

        files[file] = new ManifestFile(content.Objects, content.Faults);
        Exchange(file, old.InForce, content.Objects, update);
    }

    public void Remove(string file, MeshUpdate update)
    {
        if (files.Remove(file, out ManifestFile? old))
        {
            Exchange(file, old.InForce, [], update);
        }
    }

    /// <summary>
    /// Makes the whole model what the files say and removes what a snapshot on disk or another source had put there. For the
    /// first update, or after one that failed; it looks at everything.
    /// </summary>
    public void Replace(MeshUpdate update)
    {
        foreach (Claim claim in claims.Values)
        {
            Apply(null, claim.Object, update);
        }

        foreach ((ServiceName name, ServiceState state) in update.Origin.Services)
        {
            if (!claims.ContainsKey(new ObjectKey(ObjectKind.Service, name.Namespace, name.Name)))
            {
                update.RemoveService(name);
            }

            foreach (EndpointSlice slice in state.Slices)
            {
                ObjectKey key = new(ObjectKind.EndpointSlice, name.Namespace, slice.Key[(name.Namespace.Length + 1)..]);
                if (!claims.TryGetValue(key, out Claim? claim) || ((EndpointSlice)claim.Object.Value).Service != name)
                {
                    update.RemoveSlice(name, slice.Key);
                }
            }
        }

        foreach (BalancingRule rule in update.Origin.Services.Values.SelectMany(static state => state.Rules))
        {
            int slash = rule.Key.IndexOf('/', StringComparison.Ordinal);
            if (!claims.TryGetValue(new ObjectKey(ObjectKind.DestinationRule, rule.Key[..slash], rule.Key[(slash + 1)..]), out Claim? claim)
                || ((BalancingRule)claim.Object.Value).Service != rule.Service)
            {
                update.RemoveRule(rule.Service, rule.Key);
            }
        }

        foreach (NodeName name in update.Origin.Nodes.Keys)
        {
            if (!claims.ContainsKey(new ObjectKey(ObjectKind.Node, "", name.Value)))
            {
                update.RemoveNode(name);
            }
        }
    }

    /// <param name="pathOf">Full path of a file.</param>
    public ImmutableArray<SourceProblem> Problems(Func<string, string> pathOf)
    {
        List<SourceProblem> problems = [];
        foreach ((string name, ManifestFile file) in files)
        {
            foreach (Fault fault in file.Faults)
            {
                string end = fault.IsWarning ? "" : file.InForce.IsEmpty ? " (the file is not used)" : " (its last good state stays in force)";
                problems.Add(new SourceProblem(pathOf(name), fault.Line, fault.Reason + end));
            }
        }

        foreach (ObjectKey key in contested)
        {
            Claim first = claims[key];
            for (Claim? claim = first.Next; claim is not null; claim = claim.Next)
            {
                problems.Add(new SourceProblem(
                    pathOf(claim.File),
                    claim.Object.Line,
                    $"{claim.Object.Key} also stands in {pathOf(first.File)} line {first.Object.Line}, which is used"));
            }
        }

        return [.. problems.OrderBy(static p => p.File, StringComparer.Ordinal).ThenBy(static p => p.Line).ThenBy(static p => p.Reason, StringComparer.Ordinal)];
    }

    private void Exchange(string file, ImmutableArray<MappedObject> before, ImmutableArray<MappedObject> after, MeshUpdate update)
    {
        // The winners before anything moves: a slice that changes its Service has to leave the old one.
        Dictionary<ObjectKey, MappedObject?> touched = [];
        foreach (MappedObject each in before.Concat(after))
        {
            touched.TryAdd(each.Key, claims.GetValueOrDefault(each.Key)?.Object);
        }

        foreach (MappedObject each in before)
        {
            Withdraw(file, each.Key);
        }

        foreach (MappedObject each in after)
        {
            Enter(new Claim(file, each));
        }

        foreach ((ObjectKey key, MappedObject? old) in touched)
        {
            Claim? first = claims.GetValueOrDefault(key);
            if (first?.Next is null)
            {
                contested.Remove(key);
            }
            else
            {
                contested.Add(key);
            }

            counts[(int)key.Kind] += (first is null ? 0 : 1) - (old is null ? 0 : 1);
            Apply(old, first?.Object, update);
        }
    }

    private void Enter(Claim claim)
    {
        ObjectKey key = claim.Object.Key;
        if (!claims.TryGetValue(key, out Claim? first) || string.CompareOrdinal(claim.File, first.File) < 0)
        {
            claim.Next = first;
            claims[key] = claim;
            return;
        }

        while (first.Next is not null && string.CompareOrdinal(first.Next.File, claim.File) < 0)
        {
            first = first.Next;
        }

        claim.Next = first.Next;
        first.Next = claim;
    }

    private void Withdraw(string file, ObjectKey key)
    {
        Claim? previous = null;
        for (Claim? claim = claims[key]; claim is not null; previous = claim, claim = claim.Next)
        {
            if (claim.File != file)
            {
                continue;
            }

            if (previous is not null)
            {
                previous.Next = claim.Next;
            }
            else if (claim.Next is not null)
            {
                claims[key] = claim.Next;
            }
            else
            {
                claims.Remove(key);
            }

            return;
        }
    }

    private static void Apply(MappedObject? old, MappedObject? now, MeshUpdate update)
    {
        switch (old?.Value)
        {
            case Service service when now is null:
                update.RemoveService(service.Name);
                break;
            case EndpointSlice slice when now is null || ((EndpointSlice)now.Value).Service != slice.Service:
                update.RemoveSlice(slice.Service, slice.Key);
                break;
            case BalancingRule rule when now is null || ((BalancingRule)now.Value).Service != rule.Service:
                update.RemoveRule(rule.Service, rule.Key);
                break;
            case Node node when now is null:
                update.RemoveNode(node.Name);
                break;
        }

        now?.PutInto(update);
    }

    private sealed record ManifestFile(ImmutableArray<MappedObject> InForce, ImmutableArray<Fault> Faults)
    {
        public static readonly ManifestFile New = new([], []);
    }
}
