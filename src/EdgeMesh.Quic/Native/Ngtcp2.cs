using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>
/// libngtcp2 0.12.1 (Debian 12, soname 9). Every <c>_versioned</c> function takes struct version 1. Functions that never call
/// back into us carry <see cref="SuppressGCTransitionAttribute"/>; read, write, handle_expiry and delete do call back.
/// </summary>
internal static unsafe partial class Ngtcp2
{
    public const string Library = "libngtcp2.so.9";
    public const int VersionNumber = 0x000c01;
    public const int StructVersion = 1;
    public const uint ProtocolVersion1 = 1;

    [LibraryImport(Library)]
    public static partial NgInfo* ngtcp2_version(int leastVersion);

    [LibraryImport(Library)]
    public static partial nint ngtcp2_strerror(int code);

    [LibraryImport(Library)]
    public static partial int ngtcp2_accept(NgPacketHeader* header, byte* packet, nuint length);

    [LibraryImport(Library)]
    public static partial void ngtcp2_settings_default_versioned(int version, NgSettings* settings);

    [LibraryImport(Library)]
    public static partial void ngtcp2_transport_params_default_versioned(int version, NgTransportParams* parameters);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_client_new_versioned(
        nint* connection, NgCid* dcid, NgCid* scid, NgPath* path, uint version, int callbacksVersion, NgCallbacks* callbacks,
        int settingsVersion, NgSettings* settings, int parametersVersion, NgTransportParams* parameters, nint memory, nint userData);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_server_new_versioned(
        nint* connection, NgCid* dcid, NgCid* scid, NgPath* path, uint version, int callbacksVersion, NgCallbacks* callbacks,
        int settingsVersion, NgSettings* settings, int parametersVersion, NgTransportParams* parameters, nint memory, nint userData);

    [LibraryImport(Library)]
    public static partial void ngtcp2_conn_del(nint connection);

    [LibraryImport(Library)]
    public static partial void ngtcp2_conn_set_tls_native_handle(nint connection, nint session);

    [LibraryImport(Library)]
    public static partial void ngtcp2_conn_set_keep_alive_timeout(nint connection, ulong timeout);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_read_pkt_versioned(
        nint connection, NgPath* path, int infoVersion, void* info, byte* packet, nuint length, ulong now);

    [LibraryImport(Library)]
    public static partial nint ngtcp2_conn_writev_stream_versioned(
        nint connection, NgPath* path, int infoVersion, void* info, byte* destination, nuint destinationLength, nint* accepted,
        uint flags, long stream, NgVec* data, nuint dataCount, ulong now);

    [LibraryImport(Library)]
    public static partial nint ngtcp2_conn_writev_datagram_versioned(
        nint connection, NgPath* path, int infoVersion, void* info, byte* destination, nuint destinationLength, int* accepted,
        uint flags, ulong id, NgVec* data, nuint dataCount, ulong now);

    [LibraryImport(Library)]
    public static partial nint ngtcp2_conn_write_connection_close_versioned(
        nint connection, NgPath* path, int infoVersion, void* info, byte* destination, nuint destinationLength, NgCloseError* error,
        ulong now);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_handle_expiry(nint connection, ulong now);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial ulong ngtcp2_conn_get_expiry(nint connection);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void ngtcp2_conn_update_pkt_tx_time(nint connection, ulong now);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial ulong ngtcp2_conn_get_pto(nint connection);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial ulong ngtcp2_conn_get_max_data_left(nint connection);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void ngtcp2_conn_get_conn_stat_versioned(nint connection, int version, NgConnectionStat* stat);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial NgTransportParams* ngtcp2_conn_get_remote_transport_params(nint connection);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_open_bidi_stream(nint connection, long* id, nint userData);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_set_stream_user_data(nint connection, long id, nint userData);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_shutdown_stream_write(nint connection, long id, ulong code);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_shutdown_stream_read(nint connection, long id, ulong code);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_extend_max_stream_offset(nint connection, long id, ulong length);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void ngtcp2_conn_extend_max_offset(nint connection, ulong length);

    [LibraryImport(Library)]
    public static partial void ngtcp2_conn_extend_max_streams_bidi(nint connection, nuint count);

    [LibraryImport(Library)]
    public static partial int ngtcp2_conn_initiate_key_update(nint connection, ulong now);

    [LibraryImport(Library)]
    public static partial byte ngtcp2_conn_get_tls_alert(nint connection);

    [LibraryImport(Library)]
    public static partial void ngtcp2_conn_get_connection_close_error(nint connection, NgCloseError* error);

    [LibraryImport(Library)]
    public static partial void ngtcp2_connection_close_error_default(NgCloseError* error);

    [LibraryImport(Library)]
    public static partial void ngtcp2_connection_close_error_set_application_error(
        NgCloseError* error, ulong code, byte* reason, nuint reasonLength);

    [LibraryImport(Library)]
    public static partial void ngtcp2_connection_close_error_set_transport_error_liberr(
        NgCloseError* error, int code, byte* reason, nuint reasonLength);

    [LibraryImport(Library)]
    public static partial void ngtcp2_connection_close_error_set_transport_error_tls_alert(
        NgCloseError* error, byte alert, byte* reason, nuint reasonLength);

    [LibraryImport(Library)]
    public static partial nint ngtcp2_pkt_write_stateless_reset(
        byte* destination, nuint destinationLength, byte* token, byte* random, nuint randomLength);

    [LibraryImport(GnuTls.HelperLibrary)]
    public static partial nint ngtcp2_crypto_write_connection_close(
        byte* destination, nuint destinationLength, uint version, NgCid* dcid, NgCid* scid, ulong code, byte* reason,
        nuint reasonLength);

    /// <summary>The library's own words for an error code.</summary>
    public static string Describe(int code) => Marshal.PtrToStringUTF8(ngtcp2_strerror(code)) ?? $"error {code}";
}
