namespace EdgeMesh.Lab;

/// <summary>What a router does with what leaves and enters its LAN (RFC 4787 names in brackets).</summary>
public enum NatKind
{
    /// <summary>Routes, no NAT and no filter.</summary>
    None,

    /// <summary>Endpoint-independent mapping and filtering. Ports are preserved: for one inside host per port.</summary>
    FullCone,

    /// <summary>Endpoint-independent mapping, address-dependent filtering.</summary>
    AddressRestricted,

    /// <summary>Port-preserving masquerade; what is unsolicited is dropped (address and port-dependent filtering).</summary>
    PortRestrictedDrop,

    /// <summary>As before, but what is unsolicited is rejected with an ICMP error, which may tear a peer's early hole.</summary>
    PortRestrictedReject,

    /// <summary>Another random port for every destination (address and port-dependent mapping).</summary>
    Symmetric,

    /// <summary>Port-preserving masquerade that lets no UDP through.</summary>
    UdpBlocked,

    /// <summary>Lets only TCP to port 443 through.</summary>
    Only443,

    /// <summary>Lets only one host of the LAN out, its HTTP proxy, whose address ends with <see cref="HttpProxyHost.Last"/>; no word to the others.</summary>
    OnlyProxy,
}
