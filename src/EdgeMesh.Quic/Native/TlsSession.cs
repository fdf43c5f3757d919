using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace EdgeMesh.Quic.Native;

/// <summary>
/// Makes the GnuTLS session of a connection: TLS 1.3 only, certificates on both sides, no 0-RTT. A client that comes back resumes
/// with a ticket (RFC 8446 section 2.2), which carries its certificate: that is judged again each time.
/// </summary>
internal static unsafe class TlsSession
{
    private static readonly nint Priority = CreatePriority();

    // Zero-terminated OIDs that live for ever: what the *peer's* certificate must be good for.
    private static readonly byte* ClientPurpose = Persist("1.3.6.1.5.5.7.3.2");
    private static readonly byte* ServerPurpose = Persist("1.3.6.1.5.5.7.3.1");

    /// <param name="ticket">Client only: what <see cref="TakeTicket"/> of an earlier session gave; empty for none.</param>
    /// <param name="ticketKey">Server only: what tickets are sealed with.</param>
    public static nint Create(
        bool isClient, NgConnectionRef* reference, nint credentials, ReadOnlySpan<byte> alpn, ReadOnlySpan<byte> ticket, TicketKey ticketKey)
    {
        nint session;
        Check(GnuTls.gnutls_init(&session, (isClient ? GnuTls.Client : GnuTls.Server) | GnuTls.NoAutoSendTicket), "init");
        try
        {
            Check(GnuTls.gnutls_priority_set(session, Priority), "priority");
            Check(
                isClient
                    ? GnuTls.ngtcp2_crypto_gnutls_configure_client_session(session)
                    : GnuTls.ngtcp2_crypto_gnutls_configure_server_session(session),
                "QUIC set-up");
            if (isClient)
            {
                GnuTls.gnutls_handshake_set_hook_function(session, GnuTls.NewSessionTicket, GnuTls.HookAfter, &Callbacks.TicketReceived);
            }
            else
            {
                GnuTls.gnutls_certificate_server_set_request(session, GnuTls.RequireCertificate);
                GnuTlsDatum key = ticketKey.Datum;
                Check(GnuTls.gnutls_session_ticket_enable_server(session, &key), "tickets");
            }

            GnuTls.gnutls_session_set_ptr(session, reference);
            Check(GnuTls.gnutls_credentials_set(session, GnuTls.CredentialsCertificate, credentials), "credentials");
            GnuTls.gnutls_session_set_verify_function(session, &Callbacks.VerifyPeer);
            fixed (byte* name = alpn)
            {
                GnuTlsDatum protocol = new() { Data = name, Size = (uint)alpn.Length };
                Check(GnuTls.gnutls_alpn_set_protocols(session, &protocol, 1, GnuTls.AlpnMandatory), "ALPN");
            }

            if (!ticket.IsEmpty)
            {
                fixed (byte* data = ticket)
                {
                    // One that GnuTLS does not take leads to a full handshake, and that is no fault.
                    _ = GnuTls.gnutls_session_set_data(session, data, (nuint)ticket.Length);
                }
            }

            return session;
        }
        catch
        {
            GnuTls.gnutls_deinit(session);
            throw;
        }
    }

    /// <summary>Server: gives the client what it can come back with. After the handshake.</summary>
    public static void SendTicket(nint session) => _ = GnuTls.gnutls_session_ticket_send(session, 1, 0);

    /// <summary>Client: what a later session to this peer may begin with; empty if it cannot be had.</summary>
    public static byte[] TakeTicket(nint session)
    {
        const int largest = 16 << 10;
        byte[] room = ArrayPool<byte>.Shared.Rent(largest);
        nuint length = largest;
        fixed (byte* data = room)
        {
            byte[] ticket = GnuTls.gnutls_session_get_data(session, data, &length) == 0 ? room[..(int)length] : [];
            CryptographicOperations.ZeroMemory(room.AsSpan(0, largest));
            ArrayPool<byte>.Shared.Return(room);
            return ticket;
        }
    }

    public static bool IsResumed(nint session) => GnuTls.gnutls_session_is_resumed(session) != 0;

    /// <summary>Checks the peer's chain against our CA, with its key purpose.</summary>
    /// <returns>null if it is good, else why not.</returns>
    public static string? CheckChain(nint session, bool weAreClient, bool checkTimes)
    {
        GnuTlsTypedData purpose = new() { Type = GnuTls.KeyPurpose, Data = weAreClient ? ServerPurpose : ClientPurpose };
        uint status;
        int result = GnuTls.gnutls_certificate_verify_peers(session, &purpose, 1, &status);
        if (result < 0)
        {
            return GnuTls.Describe(result);
        }

        const uint times = GnuTls.CertificateExpired | GnuTls.CertificateNotActivated;
        if (!checkTimes && (status & times) != 0)
        {
            // INVALID is set with every other bit; alone it stands for the times we leave to the owner.
            status &= ~times;
            status = status == GnuTls.CertificateInvalid ? 0 : status;
        }

        return status == 0 ? null : $"chain status 0x{status:x}";
    }

    private static nint CreatePriority()
    {
        // AES-GCM runs at 2.6 GB/s with AES instructions, ChaCha20 at a sixth of it; without them (some ARM boards) it is the other way round.
        string chacha = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? string.Empty : ":+CHACHA20-POLY1305";
        string text = $"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM{chacha}:-GROUP-ALL:+GROUP-X25519:" +
            "+GROUP-SECP256R1:%DISABLE_TLS13_COMPAT_MODE";
        nint priority;
        byte* pointer = Persist(text);
        Check(GnuTls.gnutls_priority_init(&priority, pointer, null), "priority");
        NativeMemory.Free(pointer);
        return priority;
    }

    private static byte* Persist(string text)
    {
        byte* memory = (byte*)NativeMemory.AllocZeroed((nuint)text.Length + 1);
        Encoding.ASCII.GetBytes(text, new Span<byte>(memory, text.Length));
        return memory;
    }

    private static void Check(int result, string what)
    {
        if (result < 0)
        {
            throw new InvalidOperationException($"GnuTLS {what}: {GnuTls.Describe(result)}");
        }
    }
}
