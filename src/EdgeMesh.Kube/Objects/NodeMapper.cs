using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>A <c>core/v1</c> Node.</summary>
internal static class NodeMapper
{
    public static Node Map(Fields root)
    {
        Fields labels = root.Inner("metadata", "metadata").Inner("labels", "metadata.labels");
        Fields spec = root.Inner("spec", "spec");
        return new Node
        {
            Name = NodeName.Parse(root.Mapping.Subject.Name),
            Addresses = Addresses(root.Inner("status", "status")),
            PodCidrs = PodCidrs(spec),
            Zone = labels.Text("topology.kubernetes.io/zone") is { Length: > 0 } zone ? zone : null,
            IsEdge = labels.Map.Has("node-role.kubernetes.io/edge"),
        };
    }

    private static ImmutableArray<IPAddress> Addresses(Fields status)
    {
        ImmutableArray<IPAddress>.Builder addresses = ImmutableArray.CreateBuilder<IPAddress>();
        foreach (Fields fields in status.Maps("addresses", "status.addresses[]"))
        {
            if (fields.Text("type") is not ("InternalIP" or "ExternalIP"))
            {
                continue;
            }

            string text = fields.Text("address") ?? "";
            if (!AddressText.TryParse(text, out IPAddress address))
            {
                fields.Fault("address", $"\"{text}\" is not an IP address");
            }
            else if (!addresses.Contains(address))
            {
                addresses.Add(address);
            }
        }

        return addresses.DrainToImmutable();
    }

    // podCIDR is the older field and the first of podCIDRs.
    private static ImmutableArray<IPNetwork> PodCidrs(Fields spec)
    {
        ImmutableArray<IPNetwork> all = [.. spec.Networks("podCIDRs")];
        if (spec.Text("podCIDR") is not { Length: > 0 } text)
        {
            return all;
        }

        if (!AddressText.TryParseNetwork(text, out IPNetwork first))
        {
            spec.Fault("podCIDR", $"\"{text}\" is not a network (address/prefix)");
            return all;
        }

        if (all.IsEmpty)
        {
            return [first];
        }

        if (!all[0].Equals(first))
        {
            spec.Fault("podCIDR", $"is \"{text}\" but spec.podCIDRs begins with \"{all[0]}\"");
        }

        return all;
    }
}
