using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>The libraries export no sizes: a C compiler with their headers is the only judge of our structs.</summary>
public sealed class NativeLayoutTests
{
    private static readonly (Type Ours, string Theirs, (string Field, string Member)[] Fields)[] Structs =
    [
        (typeof(NgInfo), "ngtcp2_info", [("VersionNumber", "version_num"), ("VersionText", "version_str")]),
        (typeof(NgCid), "ngtcp2_cid", [("Length", "datalen"), ("Data", "data")]),
        (typeof(NgVec), "ngtcp2_vec", [("Base", "base"), ("Length", "len")]),
        (typeof(NgAddress), "ngtcp2_addr", [("Address", "addr"), ("Length", "addrlen")]),
        (typeof(NgPath), "ngtcp2_path", [("Local", "local"), ("Remote", "remote")]),
        (typeof(NgPacketHeader), "ngtcp2_pkt_hd", [("Dcid", "dcid"), ("Scid", "scid"), ("Version", "version"), ("Type", "type")]),
        (typeof(NgTransportParams), "ngtcp2_transport_params",
        [
            ("OriginalDcid", "original_dcid"),
            ("InitialMaxStreamDataBidiLocal", "initial_max_stream_data_bidi_local"),
            ("InitialMaxStreamDataBidiRemote", "initial_max_stream_data_bidi_remote"),
            ("InitialMaxData", "initial_max_data"),
            ("InitialMaxStreamsBidi", "initial_max_streams_bidi"),
            ("MaxIdleTimeout", "max_idle_timeout"),
            ("ActiveConnectionIdLimit", "active_connection_id_limit"),
            ("MaxDatagramFrameSize", "max_datagram_frame_size"),
            ("StatelessResetTokenPresent", "stateless_reset_token_present"),
            ("DisableActiveMigration", "disable_active_migration"),
            ("StatelessResetToken", "stateless_reset_token"),
        ]),
        (typeof(NgSettings), "ngtcp2_settings",
        [
            ("CongestionControl", "cc_algo"),
            ("InitialTimestamp", "initial_ts"),
            ("InitialRoundTrip", "initial_rtt"),
            ("MaxTxUdpPayloadSize", "max_tx_udp_payload_size"),
            ("AckThreshold", "ack_thresh"),
            ("NoTxUdpPayloadSizeShaping", "no_tx_udp_payload_size_shaping"),
            ("HandshakeTimeout", "handshake_timeout"),
            ("NoPmtud", "no_pmtud"),
        ]),
        (typeof(NgCallbacks), "ngtcp2_callbacks",
        [
            ("ClientInitial", "client_initial"),
            ("ReceiveClientInitial", "recv_client_initial"),
            ("ReceiveCryptoData", "recv_crypto_data"),
            ("HandshakeCompleted", "handshake_completed"),
            ("Encrypt", "encrypt"),
            ("Decrypt", "decrypt"),
            ("HeaderProtectionMask", "hp_mask"),
            ("ReceiveStreamData", "recv_stream_data"),
            ("AckedStreamDataOffset", "acked_stream_data_offset"),
            ("StreamOpen", "stream_open"),
            ("StreamClose", "stream_close"),
            ("ReceiveStatelessReset", "recv_stateless_reset"),
            ("ReceiveRetry", "recv_retry"),
            ("ExtendMaxLocalStreamsBidi", "extend_max_local_streams_bidi"),
            ("Random", "rand"),
            ("GetNewConnectionId", "get_new_connection_id"),
            ("RemoveConnectionId", "remove_connection_id"),
            ("UpdateKey", "update_key"),
            ("StreamReset", "stream_reset"),
            ("ExtendMaxStreamData", "extend_max_stream_data"),
            ("DcidStatus", "dcid_status"),
            ("HandshakeConfirmed", "handshake_confirmed"),
            ("DeleteCryptoAeadContext", "delete_crypto_aead_ctx"),
            ("DeleteCryptoCipherContext", "delete_crypto_cipher_ctx"),
            ("ReceiveDatagram", "recv_datagram"),
            ("GetPathChallengeData", "get_path_challenge_data"),
            ("VersionNegotiation", "version_negotiation"),
        ]),
        (typeof(NgConnectionStat), "ngtcp2_conn_stat",
        [
            ("LatestRoundTrip", "latest_rtt"),
            ("MinRoundTrip", "min_rtt"),
            ("SmoothedRoundTrip", "smoothed_rtt"),
            ("PtoCount", "pto_count"),
            ("LossDetectionTimer", "loss_detection_timer"),
            ("CongestionWindow", "cwnd"),
            ("BytesInFlight", "bytes_in_flight"),
            ("DeliveryRate", "delivery_rate_sec"),
            ("PacingRate", "pacing_rate"),
            ("SendQuantum", "send_quantum"),
        ]),
        (typeof(NgCloseError), "ngtcp2_connection_close_error",
            [("Type", "type"), ("Code", "error_code"), ("Reason", "reason"), ("ReasonLength", "reasonlen")]),
        (typeof(GnuTlsDatum), "gnutls_datum_t", [("Data", "data"), ("Size", "size")]),
        (typeof(GnuTlsTypedData), "gnutls_typed_vdata_st", [("Type", "type"), ("Data", "data"), ("Size", "size")]),
        (typeof(IoVec), "struct iovec", [("Base", "iov_base"), ("Length", "iov_len")]),
        (typeof(TimeSpec), "struct timespec", [("Seconds", "tv_sec"), ("Nanoseconds", "tv_nsec")]),
        (typeof(MessageHeader), "struct msghdr",
        [
            ("Name", "msg_name"),
            ("NameLength", "msg_namelen"),
            ("Vectors", "msg_iov"),
            ("VectorCount", "msg_iovlen"),
            ("Control", "msg_control"),
            ("ControlLength", "msg_controllen"),
            ("Flags", "msg_flags"),
        ]),
        (typeof(ControlMessage), "struct cmsghdr", [("Length", "cmsg_len"), ("Level", "cmsg_level"), ("Type", "cmsg_type")]),
    ];

    [SkippableByCompilerFact]
    public void OurStructsAreTheirs()
    {
        using StringWriter source = new();
        source.WriteLine(Headers);
        source.WriteLine("int main(void) {");
        List<(string Name, long Value)> ours = [];
        foreach ((Type type, string theirs, (string Field, string Member)[] fields) in Structs)
        {
            // A connection ref and a control message carry more than their C selves: only the offsets count.
            if (type != typeof(ControlMessage))
            {
                Ask(theirs, $"sizeof({theirs})", Marshal.SizeOf(type));
            }

            foreach ((string field, string member) in fields)
            {
                Ask($"{theirs}.{member}", $"offsetof({theirs}, {member})", (long)Marshal.OffsetOf(type, field));
            }

            FieldInfo[] all = type.GetFields(BindingFlags.Instance | BindingFlags.Public);
            Assert.True(type == typeof(ControlMessage) || all.Length == fields.Length, $"a field of {type.Name} is not compared");
        }

        Ask("version", "NGTCP2_VERSION_NUM", Ngtcp2.VersionNumber);
        Ask("write more", "NGTCP2_ERR_WRITE_MORE", NgError.WriteMore);
        Ask("blocked", "NGTCP2_ERR_STREAM_DATA_BLOCKED", NgError.StreamDataBlocked);
        Ask("ids", "NGTCP2_ERR_STREAM_ID_BLOCKED", NgError.StreamIdBlocked);
        Ask("shut", "NGTCP2_ERR_STREAM_SHUT_WR", NgError.StreamShutWrite);
        Ask("not found", "NGTCP2_ERR_STREAM_NOT_FOUND", NgError.StreamNotFound);
        Ask("crypto", "NGTCP2_ERR_CRYPTO", NgError.Crypto);
        Ask("closing", "NGTCP2_ERR_CLOSING", NgError.Closing);
        Ask("draining", "NGTCP2_ERR_DRAINING", NgError.Draining);
        Ask("retry", "NGTCP2_ERR_RETRY", NgError.Retry);
        Ask("drop", "NGTCP2_ERR_DROP_CONN", NgError.DropConnection);
        Ask("handshake timeout", "NGTCP2_ERR_HANDSHAKE_TIMEOUT", NgError.HandshakeTimeout);
        Ask("idle", "NGTCP2_ERR_IDLE_CLOSE", NgError.IdleClose);
        Ask("callback", "NGTCP2_ERR_CALLBACK_FAILURE", NgError.CallbackFailure);
        Ask("no tickets", "GNUTLS_NO_AUTO_SEND_TICKET", GnuTls.NoAutoSendTicket);
        Ask("purpose", "GNUTLS_DT_KEY_PURPOSE_OID", GnuTls.KeyPurpose);
        Ask("expired", "GNUTLS_CERT_EXPIRED", GnuTls.CertificateExpired);
        Ask("not yet", "GNUTLS_CERT_NOT_ACTIVATED", GnuTls.CertificateNotActivated);
        Ask("certificate error", "GNUTLS_E_CERTIFICATE_ERROR", GnuTls.ErrorCertificate);
        Ask("segment", "UDP_SEGMENT", Libc.UdpSegment);
        Ask("gro", "UDP_GRO", Libc.UdpGro);
        Ask("edge", "(int)EPOLLET", Libc.EpollEdge);
        Ask("hangup", "EPOLLRDHUP", Libc.EpollRdHup);
        source.WriteLine("return 0; }");

        long[] answers = [.. Compile(source.ToString()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => long.Parse(l, CultureInfo.InvariantCulture))];
        Assert.Equal(ours.Count, answers.Length);
        Assert.Equal(ours.Select(o => $"{o.Name} {o.Value}"), ours.Zip(answers, (o, a) => $"{o.Name} {a}"));

        void Ask(string name, string expression, long value)
        {
            ours.Add((name, value));
            source.WriteLine($"printf(\"%ld\\n\", (long)({expression}));");
        }
    }

    internal const string Headers = """
        #define _GNU_SOURCE
        #include <stddef.h>
        #include <stdio.h>
        #include <sys/socket.h>
        #include <sys/epoll.h>
        #include <sys/uio.h>
        #include <time.h>
        #include <netinet/udp.h>
        #ifndef UDP_GRO
        #include <linux/udp.h>
        #endif
        #include <gnutls/gnutls.h>
        #include <ngtcp2/ngtcp2.h>
        #include <ngtcp2/ngtcp2_crypto_gnutls.h>
        """;

    internal static string Compile(string source)
    {
        string directory = Directory.CreateTempSubdirectory("quic-layout-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "layout.c"), source);
            Execute("gcc", "-o", Path.Combine(directory, "layout"), Path.Combine(directory, "layout.c"));
            return Execute(Path.Combine(directory, "layout"));
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }

    private static string Execute(string file, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(error.GetAwaiter().GetResult());
    }
}
