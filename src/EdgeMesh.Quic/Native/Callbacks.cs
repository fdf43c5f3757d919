using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>
/// What ngtcp2 and GnuTLS call. An exception that escaped would end the process: every one is caught here and ends the
/// connection instead. The crypto callbacks are the helper library's own functions, taken by address.
/// </summary>
internal static unsafe class Callbacks
{
    /// <summary>Filled once; ngtcp2 copies it into each connection.</summary>
    public static readonly NgCallbacks* Table = CreateTable();

    /// <summary>For <see cref="NgConnectionRef.GetConnection"/>.</summary>
    public static nint GetConnection => (nint)(delegate* unmanaged<NgConnectionRef*, nint>)&ConnectionOf;

    [UnmanagedCallersOnly]
    public static int VerifyPeer(nint session)
    {
        QuicConnection? connection = null;
        try
        {
            NgConnectionRef* reference = (NgConnectionRef*)GnuTls.gnutls_session_get_ptr(session);
            connection = Connection((void*)reference->Handle);
            return connection.VerifyPeer(session) ? 0 : GnuTls.ErrorCertificate;
        }
        catch (Exception e)
        {
            connection?.HandlerFailed(e);
            return GnuTls.ErrorCertificate;
        }
    }

    [UnmanagedCallersOnly]
    public static int TicketReceived(nint session, uint type, uint when, uint incoming, GnuTlsDatum* message)
    {
        QuicConnection? connection = null;
        try
        {
            NgConnectionRef* reference = (NgConnectionRef*)GnuTls.gnutls_session_get_ptr(session);
            connection = Connection((void*)reference->Handle);
            connection.TicketReceived(session);
        }
        catch (Exception e)
        {
            // The connection stands without it.
            connection?.HandlerFailed(e);
        }

        return 0;
    }

    private static NgCallbacks* CreateTable()
    {
        nint helper = NativeLibrary.Load(GnuTls.HelperLibrary);
        nint Crypto(string name) => NativeLibrary.GetExport(helper, $"ngtcp2_crypto_{name}_cb");

        NgCallbacks* table = (NgCallbacks*)NativeMemory.AllocZeroed((nuint)sizeof(NgCallbacks));
        table->ClientInitial = Crypto("client_initial");
        table->ReceiveClientInitial = Crypto("recv_client_initial");
        table->ReceiveCryptoData = Crypto("recv_crypto_data");
        table->Encrypt = Crypto("encrypt");
        table->Decrypt = Crypto("decrypt");
        table->HeaderProtectionMask = Crypto("hp_mask");
        table->ReceiveRetry = Crypto("recv_retry");
        table->UpdateKey = Crypto("update_key");
        table->DeleteCryptoAeadContext = Crypto("delete_crypto_aead_ctx");
        table->DeleteCryptoCipherContext = Crypto("delete_crypto_cipher_ctx");
        table->GetPathChallengeData = Crypto("get_path_challenge_data");
        table->VersionNegotiation = Crypto("version_negotiation");
        table->HandshakeCompleted = (nint)(delegate* unmanaged<nint, void*, int>)&HandshakeCompleted;
        table->HandshakeConfirmed = (nint)(delegate* unmanaged<nint, void*, int>)&HandshakeConfirmed;
        table->ReceiveStreamData = (nint)(delegate* unmanaged<nint, uint, long, ulong, byte*, nuint, void*, nint, int>)&ReceiveStreamData;
        table->AckedStreamDataOffset = (nint)(delegate* unmanaged<nint, long, ulong, ulong, void*, nint, int>)&AckedStreamData;
        table->StreamOpen = (nint)(delegate* unmanaged<nint, long, void*, int>)&StreamOpen;
        table->StreamClose = (nint)(delegate* unmanaged<nint, uint, long, ulong, void*, nint, int>)&StreamClose;
        table->StreamReset = (nint)(delegate* unmanaged<nint, long, ulong, ulong, void*, nint, int>)&StreamReset;
        table->ExtendMaxLocalStreamsBidi = (nint)(delegate* unmanaged<nint, ulong, void*, int>)&ExtendMaxStreams;
        table->ExtendMaxStreamData = (nint)(delegate* unmanaged<nint, long, ulong, void*, nint, int>)&ExtendMaxStreamData;
        table->ReceiveStatelessReset = (nint)(delegate* unmanaged<nint, void*, void*, int>)&ReceiveStatelessReset;
        table->ReceiveDatagram = (nint)(delegate* unmanaged<nint, uint, byte*, nuint, void*, int>)&ReceiveDatagram;
        table->Random = (nint)(delegate* unmanaged<byte*, nuint, void*, void>)&Random;
        table->GetNewConnectionId = (nint)(delegate* unmanaged<nint, NgCid*, byte*, nuint, void*, int>)&GetNewConnectionId;
        table->RemoveConnectionId = (nint)(delegate* unmanaged<nint, NgCid*, void*, int>)&RemoveConnectionId;
        table->DcidStatus = (nint)(delegate* unmanaged<nint, int, ulong, NgCid*, byte*, void*, int>)&DcidStatus;
        return table;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static QuicConnection Connection(void* user) => Unsafe.As<QuicConnection>(GCHandle.FromIntPtr((nint)user).Target!);

    [UnmanagedCallersOnly]
    private static nint ConnectionOf(NgConnectionRef* reference) => reference->Connection;

    [UnmanagedCallersOnly]
    private static int HandshakeCompleted(nint native, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            return connection.HandshakeCompleted() ? 0 : NgError.CallbackFailure;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int HandshakeConfirmed(nint native, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.BecomeConnected();
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int ReceiveStreamData(
        nint native, uint flags, long id, ulong offset, byte* data, nuint length, void* user, nint streamUser)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamData(id, streamUser, new ReadOnlySpan<byte>(data, (int)length), (flags & 1) != 0);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int AckedStreamData(nint native, long id, ulong offset, ulong length, void* user, nint streamUser)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamAcked(streamUser, (long)(offset + length));
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int StreamOpen(nint native, long id, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamOpenedByPeer(id);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int StreamClose(nint native, uint flags, long id, ulong code, void* user, nint streamUser)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamClosed(id, streamUser);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int StreamReset(nint native, long id, ulong finalSize, ulong code, void* user, nint streamUser)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamResetByPeer(streamUser, code);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int ExtendMaxStreams(nint native, ulong max, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamsAvailable();
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int ExtendMaxStreamData(nint native, long id, ulong max, void* user, nint streamUser)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.StreamUnblocked(streamUser);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int ReceiveStatelessReset(nint native, void* reset, void* user)
    {
        Connection(user).StatelessResetReceived();
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int ReceiveDatagram(nint native, uint flags, byte* data, nuint length, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.DatagramReceived(new ReadOnlySpan<byte>(data, (int)length));
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    // Only for what needs no secrecy: BBR's phases, packet number gaps, greasing.
    [UnmanagedCallersOnly]
    private static void Random(byte* destination, nuint length, void* context)
    {
        System.Random.Shared.NextBytes(new Span<byte>(destination, (int)length));
        if (length == 1)
        {
            // ngtcp2 draws one byte to decide whether to grease the fixed bit (RFC 9287), and has no other switch for it. On a
            // port shared with STUN and probes that bit tells QUIC apart (RFC 9443), so the low bit of the draw stays 0. The
            // other single byte it draws is BBR's first gain phase, which can do without it.
            *destination &= 0xFE;
        }
    }

    [UnmanagedCallersOnly]
    private static int GetNewConnectionId(nint native, NgCid* cid, byte* token, nuint length, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.Endpoint.CreateConnectionId(connection, cid, token);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int RemoveConnectionId(nint native, NgCid* cid, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            connection.Endpoint.RemoveConnectionId(connection, cid);
            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }

    [UnmanagedCallersOnly]
    private static int DcidStatus(nint native, int type, ulong sequence, NgCid* cid, byte* token, void* user)
    {
        QuicConnection connection = Connection(user);
        try
        {
            if (token != null)
            {
                connection.Endpoint.PeerResetToken(connection, new ReadOnlySpan<byte>(token, 16), isActive: type == 0);
            }

            return 0;
        }
        catch (Exception e)
        {
            return connection.HandlerFailed(e);
        }
    }
}
