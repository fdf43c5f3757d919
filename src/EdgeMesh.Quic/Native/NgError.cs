namespace EdgeMesh.Quic.Native;

/// <summary>Return codes of ngtcp2 that this room tells apart.</summary>
internal static class NgError
{
    public const int StreamIdBlocked = -208;
    public const int StreamDataBlocked = -210;
    public const int Crypto = -215;
    public const int StreamShutWrite = -221;
    public const int StreamNotFound = -222;
    public const int Closing = -230;
    public const int Draining = -231;
    public const int WriteMore = -240;
    public const int Retry = -241;
    public const int DropConnection = -242;
    public const int HandshakeTimeout = -246;
    public const int IdleClose = -248;
    public const int CallbackFailure = -502;
}
