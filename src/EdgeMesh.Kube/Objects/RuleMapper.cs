using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// An Istio <c>DestinationRule</c>: of it only <c>host</c> and <c>trafficPolicy.loadBalancer</c>. What the mesh cannot do is a warning, and
/// the Service is balanced as if there were no rule.
/// </summary>
internal static class RuleMapper
{
    /// <summary>Null: it names no Service, or asks for nothing.</summary>
    public static BalancingRule? Map(Fields root)
    {
        ObjectKey subject = root.Mapping.Subject;
        Fields spec = root.Inner("spec", "spec");
        Fields balancer = spec.Inner("trafficPolicy", "spec.trafficPolicy").Inner("loadBalancer", "spec.trafficPolicy.loadBalancer");
        return Host(spec.Text("host") ?? "", subject.Namespace) is ServiceName service && Policy(balancer) is BalancingPolicy policy
            ? new BalancingRule($"{subject.Namespace}/{subject.Name}", service, policy)
            : null;
    }

    /// <summary>A short name is in the rule's own namespace; <c>name.namespace</c> may be followed by <c>svc</c> and a cluster domain.</summary>
    private static ServiceName? Host(string host, string space)
    {
        string[] labels = host.Split('.');
        bool isService = labels.All(static label => DnsName.IsLabel(label)) && (labels.Length <= 2 || labels[2] == "svc");
        return isService ? new ServiceName(labels.Length > 1 ? labels[1] : space, labels[0]) : null;
    }

    private static BalancingPolicy? Policy(Fields balancer)
    {
        Fields hash = balancer.Inner("consistentHash", "spec.trafficPolicy.loadBalancer.consistentHash");
        if (hash.Map.Kind == DatumKind.Map)
        {
            if (hash.Flag("useSourceIp") == true)
            {
                return BalancingPolicy.ClientHash;
            }

            balancer.Warn("consistentHash", "is honoured with useSourceIp only: the mesh does not read HTTP");
            return null;
        }

        switch (balancer.Text("simple"))
        {
            case "ROUND_ROBIN" or "RANDOM":
                return BalancingPolicy.Spread;
            case "LEAST_REQUEST" or "LEAST_CONN":
                return BalancingPolicy.LeastLoaded;
            case null or "" or "UNSPECIFIED":
                return null;
            case string other:
                balancer.Warn("simple", $"is \"{other}\": the mesh knows ROUND_ROBIN, RANDOM and LEAST_REQUEST");
                return null;
        }
    }
}
