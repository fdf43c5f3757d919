using System.Collections.Immutable;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>Sorts chosen endpoints into those this node reaches, and how; remembers whether it had to leave any out. For one Service.</summary>
internal sealed class Placer(Surroundings here)
{
    public bool AnyPlaced { get; private set; }

    public bool AnyLeftOut { get; private set; }

    public ChosenArms Place(ChosenEndpoints chosen)
    {
        ImmutableArray<PlannedEndpoint>.Builder placed = ImmutableArray.CreateBuilder<PlannedEndpoint>(chosen.Endpoints.Length);
        foreach (EndpointAt at in chosen.Endpoints)
        {
            if (here.Place(at.Endpoint) is Placement placement)
            {
                placed.Add(new PlannedEndpoint(at.Address, at.Endpoint.Node, placement));
                AnyPlaced = true;
            }
            else
            {
                AnyLeftOut = true;
            }
        }

        // An order that does not depend on the order of slices keeps the written elements the same.
        placed.Sort(Compare);
        PortAction action = chosen.Action == PortAction.Serve && placed.Count == 0 ? PortAction.Reject : chosen.Action;
        return new ChosenArms(action, placed.ToImmutable());
    }

    private static int Compare(PlannedEndpoint a, PlannedEndpoint b)
    {
        int byPlacement = a.Placement.CompareTo(b.Placement);
        if (byPlacement != 0)
        {
            return byPlacement;
        }

        int byNode = string.CompareOrdinal(a.Node?.Value, b.Node?.Value);
        if (byNode != 0)
        {
            return byNode;
        }

        Span<byte> left = stackalloc byte[16];
        Span<byte> right = stackalloc byte[16];
        a.Address.Address.TryWriteBytes(left, out int leftLength);
        b.Address.Address.TryWriteBytes(right, out int rightLength);
        int byAddress = left[..leftLength].SequenceCompareTo(right[..rightLength]);
        return byAddress != 0 ? byAddress : a.Address.Port.CompareTo(b.Address.Port);
    }
}
