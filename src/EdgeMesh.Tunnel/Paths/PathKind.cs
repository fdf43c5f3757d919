namespace EdgeMesh.Tunnel;

/// <summary>How datagrams to a peer travel; a greater one is preferred.</summary>
public enum PathKind : byte
{
    /// <summary>Not at all now.</summary>
    None = 0,

    /// <summary>Through a server, our leg over TLS because UDP does not get through.</summary>
    RelayTls = 1,

    /// <summary>Through a server, our leg over UDP.</summary>
    RelayUdp = 2,

    /// <summary>Straight to the peer, mostly through punched NATs.</summary>
    Direct = 3,

    /// <summary>Straight to an address in a subnet of ours.</summary>
    Lan = 4,
}
