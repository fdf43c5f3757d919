using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>libgnutls 3.7 and the QUIC helper that ngtcp2 ships for it.</summary>
internal static unsafe partial class GnuTls
{
    public const string Library = "libgnutls.so.30";
    public const string HelperLibrary = "libngtcp2_crypto_gnutls.so.2";

    public const uint Server = 1;
    public const uint Client = 2;
    public const uint NoAutoSendTicket = 1 << 21;
    public const uint NewSessionTicket = 4;
    public const int HookAfter = 1;
    public const int CredentialsCertificate = 1;
    public const int RequireCertificate = 2;
    public const int FormatPem = 1;
    public const uint AlpnMandatory = 1;
    public const int KeyPurpose = 2;
    public const int ErrorCertificate = -43;
    public const uint CertificateInvalid = 1 << 1;
    public const uint CertificateNotActivated = 1 << 9;
    public const uint CertificateExpired = 1 << 10;

    [LibraryImport(Library)]
    public static partial byte* gnutls_check_version(byte* required);

    [LibraryImport(Library)]
    public static partial byte* gnutls_strerror(int code);

    [LibraryImport(Library)]
    public static partial int gnutls_init(nint* session, uint flags);

    [LibraryImport(Library)]
    public static partial void gnutls_deinit(nint session);

    [LibraryImport(Library)]
    public static partial int gnutls_priority_init(nint* priority, byte* text, byte** errorPosition);

    [LibraryImport(Library)]
    public static partial int gnutls_priority_set(nint session, nint priority);

    [LibraryImport(Library)]
    public static partial int gnutls_credentials_set(nint session, int type, nint credentials);

    [LibraryImport(Library)]
    public static partial void gnutls_certificate_server_set_request(nint session, int request);

    [LibraryImport(Library)]
    public static partial void gnutls_session_set_ptr(nint session, void* pointer);

    [LibraryImport(Library)]
    public static partial void* gnutls_session_get_ptr(nint session);

    [LibraryImport(Library)]
    public static partial void gnutls_session_set_verify_function(nint session, delegate* unmanaged<nint, int> verify);

    [LibraryImport(Library)]
    public static partial int gnutls_certificate_verify_peers(nint session, GnuTlsTypedData* data, uint count, uint* status);

    [LibraryImport(Library)]
    public static partial GnuTlsDatum* gnutls_certificate_get_peers(nint session, uint* count);

    [LibraryImport(Library)]
    public static partial int gnutls_session_ticket_key_generate(GnuTlsDatum* key);

    [LibraryImport(Library)]
    public static partial int gnutls_session_ticket_enable_server(nint session, GnuTlsDatum* key);

    [LibraryImport(Library)]
    public static partial int gnutls_session_ticket_send(nint session, uint count, uint flags);

    [LibraryImport(Library)]
    public static partial int gnutls_session_get_data(nint session, byte* data, nuint* length);

    [LibraryImport(Library)]
    public static partial int gnutls_session_set_data(nint session, byte* data, nuint length);

    [LibraryImport(Library)]
    public static partial int gnutls_session_is_resumed(nint session);

    [LibraryImport(Library)]
    public static partial void gnutls_handshake_set_hook_function(
        nint session, uint type, int when, delegate* unmanaged<nint, uint, uint, uint, GnuTlsDatum*, int> hook);

    [LibraryImport(Library)]
    public static partial int gnutls_alpn_set_protocols(nint session, GnuTlsDatum* protocols, uint count, uint flags);

    [LibraryImport(Library)]
    public static partial byte* gnutls_alert_get_name(int alert);

    [LibraryImport(Library)]
    public static partial int gnutls_certificate_allocate_credentials(nint* credentials);

    [LibraryImport(Library)]
    public static partial void gnutls_certificate_free_credentials(nint credentials);

    [LibraryImport(Library)]
    public static partial int gnutls_certificate_set_x509_trust_mem(nint credentials, GnuTlsDatum* ca, int format);

    [LibraryImport(Library)]
    public static partial int gnutls_certificate_set_x509_key_mem(
        nint credentials, GnuTlsDatum* certificate, GnuTlsDatum* key, int format);

    [LibraryImport(HelperLibrary)]
    public static partial int ngtcp2_crypto_gnutls_configure_client_session(nint session);

    [LibraryImport(HelperLibrary)]
    public static partial int ngtcp2_crypto_gnutls_configure_server_session(nint session);

    [LibraryImport(HelperLibrary)]
    public static partial int ngtcp2_crypto_generate_stateless_reset_token(
        byte* token, byte* secret, nuint secretLength, NgCid* cid);

    public static string Describe(int code) => Marshal.PtrToStringUTF8((nint)gnutls_strerror(code)) ?? $"error {code}";

    public static string DescribeAlert(int alert) =>
        Marshal.PtrToStringUTF8((nint)gnutls_alert_get_name(alert)) ?? $"alert {alert}";
}
