namespace EdgeMesh.Model;

/// <summary>What a rule can ask for; the proxy's own option goes for all Services without one.</summary>
public enum BalancingPolicy : byte
{
    Spread,
    LeastLoaded,
    ClientHash,
}

/// <summary>How the connections of a Service are to be balanced: what the mesh reads of an Istio <c>DestinationRule</c>.</summary>
/// <param name="Key"><c>namespace/name</c> of the rule; of several for one Service the first in this order counts.</param>
/// <param name="Service">The Service that <c>spec.host</c> names.</param>
/// <param name="Policy">From <c>spec.trafficPolicy.loadBalancer</c>.</param>
public sealed record BalancingRule(string Key, ServiceName Service, BalancingPolicy Policy);
