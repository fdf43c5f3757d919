using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>The status byte that begins the answer of a service stream, and stands in a refused UDP flow.</summary>
internal static class StreamStatus
{
    /// <summary>What a far agent may say; anything else counts as <see cref="DialStatus.Unreachable"/>.</summary>
    public static DialStatus Read(byte value) => value <= (byte)DialStatus.Busy ? (DialStatus)value : DialStatus.Unreachable;

    public static byte Write(DialStatus status) => status <= DialStatus.Busy ? (byte)status : (byte)DialStatus.Unreachable;
}
