namespace EdgeMesh.Proxy;

/// <summary>Which of a Service's usable endpoints gets the next connection or flow.</summary>
public enum Balancing : byte
{
    /// <summary>Any, each as likely as the others: what kube-proxy does.</summary>
    Spread,

    /// <summary>
    /// The nearest: on this node, in reach of its kernel, in a subnet of ours, over a direct path, over a relay; of one kind those with
    /// about the lowest round trip. The others only when these fail.
    /// </summary>
    Nearest,

    /// <summary>Of two drawn ones that with fewer open connections and flows from this node.</summary>
    LeastLoaded,

    /// <summary>The same client address gets the same endpoint while it is there; only an Istio DestinationRule asks for it.</summary>
    ClientHash,
}
