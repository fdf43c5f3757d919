namespace EdgeMesh.Quic;

public enum QuicCongestionControl
{
    Reno = 0,
    Cubic = 1,

    /// <summary>The default: holds its rate on lossy WAN paths where the others collapse.</summary>
    Bbr = 2,
    Bbr2 = 3,
}
