namespace EdgeMesh.Model;

/// <summary>Transport protocol of a Service port; values are IANA protocol numbers.</summary>
public enum TransportProtocol : byte
{
    Tcp = 6,
    Udp = 17,
    Sctp = 132,
}
