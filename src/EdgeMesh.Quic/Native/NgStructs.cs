using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

// Layouts of ngtcp2 0.12.1 on 64-bit Linux. Only the fields this room uses are named; the sizes and offsets are compared with
// what a C compiler says in the unit test NativeLayoutTests.

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct NgInfo
{
    [FieldOffset(4)] public int VersionNumber;
    [FieldOffset(8)] public byte* VersionText;
}

[StructLayout(LayoutKind.Explicit, Size = 32)]
internal unsafe struct NgCid
{
    [FieldOffset(0)] public nuint Length;
    [FieldOffset(8)] public fixed byte Data[20];
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct NgVec
{
    [FieldOffset(0)] public byte* Base;
    [FieldOffset(8)] public nuint Length;
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct NgAddress
{
    [FieldOffset(0)] public void* Address;
    [FieldOffset(8)] public uint Length;
}

[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct NgPath
{
    [FieldOffset(0)] public NgAddress Local;
    [FieldOffset(16)] public NgAddress Remote;
}

[StructLayout(LayoutKind.Explicit, Size = 112)]
internal struct NgPacketHeader
{
    [FieldOffset(0)] public NgCid Dcid;
    [FieldOffset(32)] public NgCid Scid;
    [FieldOffset(104)] public uint Version;
    [FieldOffset(108)] public byte Type;
}

[StructLayout(LayoutKind.Explicit, Size = 344)]
internal unsafe struct NgTransportParams
{
    [FieldOffset(96)] public NgCid OriginalDcid;
    [FieldOffset(192)] public ulong InitialMaxStreamDataBidiLocal;
    [FieldOffset(200)] public ulong InitialMaxStreamDataBidiRemote;
    [FieldOffset(216)] public ulong InitialMaxData;
    [FieldOffset(224)] public ulong InitialMaxStreamsBidi;
    [FieldOffset(240)] public ulong MaxIdleTimeout;
    [FieldOffset(256)] public ulong ActiveConnectionIdLimit;
    [FieldOffset(280)] public ulong MaxDatagramFrameSize;
    [FieldOffset(288)] public byte StatelessResetTokenPresent;
    [FieldOffset(289)] public byte DisableActiveMigration;
    [FieldOffset(292)] public fixed byte StatelessResetToken[16];
}

[StructLayout(LayoutKind.Explicit, Size = 184)]
internal struct NgSettings
{
    [FieldOffset(40)] public int CongestionControl;
    [FieldOffset(48)] public ulong InitialTimestamp;
    [FieldOffset(56)] public ulong InitialRoundTrip;
    [FieldOffset(72)] public nuint MaxTxUdpPayloadSize;
    [FieldOffset(120)] public nuint AckThreshold;
    [FieldOffset(128)] public int NoTxUdpPayloadSizeShaping;
    [FieldOffset(136)] public ulong HandshakeTimeout;
    [FieldOffset(180)] public int NoPmtud;
}

[StructLayout(LayoutKind.Explicit, Size = 320)]
internal struct NgCallbacks
{
    [FieldOffset(0)] public nint ClientInitial;
    [FieldOffset(8)] public nint ReceiveClientInitial;
    [FieldOffset(16)] public nint ReceiveCryptoData;
    [FieldOffset(24)] public nint HandshakeCompleted;
    [FieldOffset(40)] public nint Encrypt;
    [FieldOffset(48)] public nint Decrypt;
    [FieldOffset(56)] public nint HeaderProtectionMask;
    [FieldOffset(64)] public nint ReceiveStreamData;
    [FieldOffset(72)] public nint AckedStreamDataOffset;
    [FieldOffset(80)] public nint StreamOpen;
    [FieldOffset(88)] public nint StreamClose;
    [FieldOffset(96)] public nint ReceiveStatelessReset;
    [FieldOffset(104)] public nint ReceiveRetry;
    [FieldOffset(112)] public nint ExtendMaxLocalStreamsBidi;
    [FieldOffset(128)] public nint Random;
    [FieldOffset(136)] public nint GetNewConnectionId;
    [FieldOffset(144)] public nint RemoveConnectionId;
    [FieldOffset(152)] public nint UpdateKey;
    [FieldOffset(176)] public nint StreamReset;
    [FieldOffset(200)] public nint ExtendMaxStreamData;
    [FieldOffset(208)] public nint DcidStatus;
    [FieldOffset(216)] public nint HandshakeConfirmed;
    [FieldOffset(232)] public nint DeleteCryptoAeadContext;
    [FieldOffset(240)] public nint DeleteCryptoCipherContext;
    [FieldOffset(248)] public nint ReceiveDatagram;
    [FieldOffset(272)] public nint GetPathChallengeData;
    [FieldOffset(288)] public nint VersionNegotiation;
}

[StructLayout(LayoutKind.Explicit, Size = 176)]
internal struct NgConnectionStat
{
    [FieldOffset(0)] public ulong LatestRoundTrip;
    [FieldOffset(8)] public ulong MinRoundTrip;
    [FieldOffset(16)] public ulong SmoothedRoundTrip;
    [FieldOffset(48)] public nuint PtoCount;
    [FieldOffset(56)] public ulong LossDetectionTimer;
    [FieldOffset(112)] public ulong CongestionWindow;
    [FieldOffset(136)] public ulong BytesInFlight;
    [FieldOffset(152)] public ulong DeliveryRate;
    [FieldOffset(160)] public double PacingRate;
    [FieldOffset(168)] public nuint SendQuantum;
}

[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct NgCloseError
{
    [FieldOffset(0)] public int Type;
    [FieldOffset(8)] public ulong Code;
    [FieldOffset(24)] public byte* Reason;
    [FieldOffset(32)] public nuint ReasonLength;
}

/// <summary>
/// ngtcp2_crypto_conn_ref: 16 bytes {get_conn, user_data}. We hang the connection and our handle behind it, so that both
/// get_conn and the certificate check find their way from a TLS session.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct NgConnectionRef
{
    [FieldOffset(0)] public nint GetConnection;
    [FieldOffset(16)] public nint Connection;
    [FieldOffset(24)] public nint Handle;
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct GnuTlsDatum
{
    [FieldOffset(0)] public byte* Data;
    [FieldOffset(8)] public uint Size;
}

[StructLayout(LayoutKind.Explicit, Size = 24)]
internal unsafe struct GnuTlsTypedData
{
    [FieldOffset(0)] public int Type;
    [FieldOffset(8)] public byte* Data;
    [FieldOffset(16)] public uint Size;
}
