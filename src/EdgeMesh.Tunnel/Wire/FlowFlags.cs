namespace EdgeMesh.Tunnel.Wire;

[Flags]
internal enum FlowFlags : byte
{
    None = 0,

    /// <summary>A Service header follows; in every datagram of the dialler until <see cref="Opened"/> comes.</summary>
    Open = 1,

    /// <summary>The far agent has the flow. With an empty payload it is no datagram, only that message.</summary>
    Opened = 2,

    /// <summary>A status byte follows and nothing else.</summary>
    Refused = 4,

    /// <summary>The payload is one piece of a larger datagram.</summary>
    Fragment = 8,
}
