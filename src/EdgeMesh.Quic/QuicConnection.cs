using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>
/// A connection with one peer over whatever output it is given. In the loop only.
/// <para>ngtcp2 forbids read, write and delete inside its callbacks. Handlers run inside them, so everything they may call here
/// only queues: <see cref="Flush"/> writes at the end of the turn, and closing happens there too.</para>
/// </summary>
public sealed unsafe class QuicConnection
{
    // Trains written per turn before others get theirs.
    private const int TrainsPerFlush = 4;
    private const int SegmentsPerTrain = 64;

    // Header, packet number, tag and frame overhead of a packet that carries one DATAGRAM frame and nothing else.
    private const int DatagramOverhead = 32;

    // A stream may hold this much unacknowledged; more when bandwidth × round trip asks for it.
    private const int BaseSendLimit = 512 << 10;

    // Above this in all streams together each of them gets only a little.
    private const long ConnectionSendLimit = 64L << 20;
    private const int CrowdedSendLimit = 64 << 10;

    private readonly DatagramQueue datagrams = new();
    private readonly Queue<QuicStream> sendQueue = new();
    private readonly Queue<QuicStream> parked = new();
    private readonly List<QuicStream> notices = [];
    private readonly List<ulong> connectionIds = [];
    private readonly ReactorTimer timer;
    private QuicStream?[] streams = new QuicStream?[8];
    private Stack<int> freeSlots = new();
    private int usedSlots = 1;
    private IQuicOutput output;
    private CredentialsHandle? credentials;
    private nint native;
    private nint session;
    private NgConnectionRef* reference;
    private GCHandle self;
    private ulong lastTimestamp;
    private bool handshakeCompleted;
    private bool isReset;
    private bool closeRequested;
    private bool kickRequested;
    private bool wantsStreams;
    private QuicCloseReason closeReason;
    private Exception? handlerFailure;
    private byte[]? closePacket;
    private int closeAnswers;
    private QuicConnectionStats lastStats;
    private long bytesIn;
    private long bytesOut;
    private long packetsIn;
    private long packetsOut;
    private long buffered;
    private long windowGrowth;
    private long roundTrip;

    // Trains the output had no room for, in order.
    private readonly Queue<(byte[] Bytes, int Length, int SegmentSize)> unsentTrains = new();

    internal QuicConnection(QuicEndpoint endpoint, bool isClient, IQuicOutput output)
    {
        Endpoint = endpoint;
        IsClient = isClient;
        this.output = output;
        timer = endpoint.Driver.CreateTimer(OnTimer);
    }

    public bool IsClient { get; }

    /// <summary>From <see cref="IQuicHandler.OnConnected"/> until it closes.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Begun with a ticket of an earlier session, without signatures.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Closed or about to: no more streams or datagrams.</summary>
    public bool IsClosed => closeRequested || native == 0;

    /// <summary>For the owner's own use.</summary>
    public object? Owner { get; set; }

    /// <summary>May be changed at any time; the next datagram takes it.</summary>
    public IQuicOutput Output
    {
        get => output;
        set
        {
            if (!ReferenceEquals(output, value))
            {
                output = value;

                // What waits for the former path was cut for its header and size: it counts as lost, recovery sends it anew.
                unsentTrains.Clear();
                Endpoint.MarkDirty(this);
            }
        }
    }

    /// <summary>The largest datagram payload that fits now; 0 if the peer takes none.</summary>
    public int MaxDatagramPayload
    {
        get
        {
            if (!IsConnected || native == 0)
            {
                return 0;
            }

            NgTransportParams* remote = Ngtcp2.ngtcp2_conn_get_remote_transport_params(native);
            ulong peer = remote == null ? 0 : remote->MaxDatagramFrameSize;
            return (int)Math.Max(0, Math.Min((long)Math.Min(peer, 65_535) - 4, DatagramSize - DatagramOverhead));
        }
    }

    public QuicConnectionStats Stats => native == 0 ? lastStats : ReadStats();

    internal QuicEndpoint Endpoint { get; }

    internal IQuicHandler? Handler { get; set; }

    internal bool IsDirty { get; set; }

    internal bool IsAlive => native != 0;

    internal int StreamSendLimit { get; private set; } = BaseSendLimit;

    internal ulong FirstConnectionId => connectionIds.Count > 0 ? connectionIds[0] : 0;

    internal IReadOnlyList<ulong> ConnectionIds => connectionIds;

    /// <summary>With which the peer would sign a stateless reset.</summary>
    internal List<UInt128> PeerResetTokens { get; } = new(1);

    /// <summary>Bytes all streams hold.</summary>
    internal long Buffered => buffered;

    private int DatagramSize => Math.Clamp(output.MaxDatagramSize, 1200, Endpoint.Options.MaxDatagramSize);

    /// <returns>null: not connected, or the peer allows no more streams now; see <see cref="IQuicHandler.OnStreamsAvailable"/>.</returns>
    public QuicStream? OpenStream()
    {
        if (!IsConnected || IsClosed)
        {
            return null;
        }

        long id;
        int slot = ReserveSlot();
        if (Ngtcp2.ngtcp2_conn_open_bidi_stream(native, &id, slot) != 0)
        {
            freeSlots.Push(slot);
            wantsStreams = true;
            return null;
        }

        return AddStream(id, slot);
    }

    /// <summary>Copies into a bounded queue (1 MB).</summary>
    /// <returns>false: full, too big, or not connected.</returns>
    public bool TrySendDatagram(ReadOnlySpan<byte> payload)
    {
        if (IsClosed || payload.Length > MaxDatagramPayload || !datagrams.TryEnqueue(payload))
        {
            QuicMetrics.CountDropped();
            return false;
        }

        Endpoint.MarkDirty(this);
        return true;
    }

    /// <summary>The path is new or back: probe now instead of when the backed-off timer says.</summary>
    public void Kick()
    {
        if (IsClosed)
        {
            return;
        }

        kickRequested = true;
        Endpoint.MarkDirty(this);
    }

    /// <summary>The output has room again after it returned false.</summary>
    public void OutputWritable() => Endpoint.MarkDirty(this);

    /// <summary>
    /// Sends CONNECTION_CLOSE at the end of this turn and answers late packets with it for three PTO.
    /// <see cref="IQuicHandler.OnClosed"/> comes then, never inside this call.
    /// </summary>
    public void Close(ulong code, string reason)
    {
        if (!IsClosed)
        {
            closeRequested = true;
            closeReason = new QuicCloseReason(QuicCloseKind.Local, code, reason);
            Endpoint.MarkDirty(this);
        }
    }

    /// <summary>Makes the native connection. What fails here is memory or a fault of ours: it throws.</summary>
    /// <param name="clientDcid">Server only: where the client sent its first packet.</param>
    /// <param name="clientScid">Server only: the client's own connection id.</param>
    /// <param name="ticket">Client only: of an earlier session, or empty.</param>
    internal void Create(CredentialsHandle credentialsHandle, NgCid* clientDcid, NgCid* clientScid, ReadOnlySpan<byte> ticket)
    {
        QuicEndpointOptions options = Endpoint.Options;
        bool added = false;
        credentialsHandle.DangerousAddRef(ref added);
        credentials = credentialsHandle;
        self = GCHandle.Alloc(this);
        reference = (NgConnectionRef*)NativeMemory.AllocZeroed((nuint)sizeof(NgConnectionRef));
        reference->GetConnection = Callbacks.GetConnection;
        reference->Handle = GCHandle.ToIntPtr(self);

        lastTimestamp = Timestamp();
        NgSettings settings;
        Ngtcp2.ngtcp2_settings_default_versioned(Ngtcp2.StructVersion, &settings);
        settings.CongestionControl = (int)options.CongestionControl;
        settings.InitialTimestamp = lastTimestamp;
        settings.InitialRoundTrip = 50_000_000;
        settings.MaxTxUdpPayloadSize = (nuint)options.MaxDatagramSize;
        settings.AckThreshold = 10;
        settings.NoTxUdpPayloadSizeShaping = 1;
        settings.NoPmtud = 1;
        settings.HandshakeTimeout = (ulong)options.HandshakeTimeout.Ticks * 100;

        NgTransportParams parameters;
        Ngtcp2.ngtcp2_transport_params_default_versioned(Ngtcp2.StructVersion, &parameters);
        parameters.InitialMaxData = (ulong)options.ConnectionWindow;
        parameters.InitialMaxStreamDataBidiLocal = (ulong)options.StreamWindow;
        parameters.InitialMaxStreamDataBidiRemote = (ulong)options.StreamWindow;
        parameters.InitialMaxStreamsBidi = (ulong)options.MaxStreams;
        parameters.MaxIdleTimeout = (ulong)options.IdleTimeout.Ticks * 100;
        parameters.ActiveConnectionIdLimit = 4;
        parameters.MaxDatagramFrameSize = 65_535;
        parameters.DisableActiveMigration = 1;

        NgCid ownId;
        byte* token = stackalloc byte[16];
        Endpoint.CreateConnectionId(this, &ownId, token);
        nint connection;
        int result;
        if (IsClient)
        {
            NgCid firstDcid;
            Endpoint.FillFirstId(&firstDcid);
            result = Ngtcp2.ngtcp2_conn_client_new_versioned(
                &connection, &firstDcid, &ownId, VirtualPath.Pointer, Ngtcp2.ProtocolVersion1, Ngtcp2.StructVersion, Callbacks.Table,
                Ngtcp2.StructVersion, &settings, Ngtcp2.StructVersion, &parameters, 0, reference->Handle);
        }
        else
        {
            parameters.OriginalDcid = *clientDcid;
            parameters.StatelessResetTokenPresent = 1;
            new ReadOnlySpan<byte>(token, 16).CopyTo(new Span<byte>(parameters.StatelessResetToken, 16));
            result = Ngtcp2.ngtcp2_conn_server_new_versioned(
                &connection, clientScid, &ownId, VirtualPath.Pointer, Ngtcp2.ProtocolVersion1, Ngtcp2.StructVersion, Callbacks.Table,
                Ngtcp2.StructVersion, &settings, Ngtcp2.StructVersion, &parameters, 0, reference->Handle);
        }

        if (result != 0)
        {
            Release();
            throw new InvalidOperationException($"ngtcp2 connection: {Ngtcp2.Describe(result)}");
        }

        reference->Connection = connection;
        Ngtcp2.ngtcp2_conn_set_keep_alive_timeout(connection, (ulong)options.KeepAlive.Ticks * 100);
        try
        {
            session = TlsSession.Create(IsClient, reference, credentials.DangerousGetHandle(), Endpoint.Alpn, ticket, Endpoint.TicketKey);
        }
        catch
        {
            Ngtcp2.ngtcp2_conn_del(connection);
            Release();
            throw;
        }

        Ngtcp2.ngtcp2_conn_set_tls_native_handle(connection, session);
        native = connection;
    }

    internal void AddConnectionId(ulong id) => connectionIds.Add(id);

    internal void RemoveConnectionId(ulong id) => connectionIds.Remove(id);

    /// <summary>One datagram from the peer.</summary>
    internal void Read(byte* packet, int length)
    {
        if (native == 0)
        {
            AnswerLatePacket();
            return;
        }

        packetsIn++;
        bytesIn += length;
        int result = Ngtcp2.ngtcp2_conn_read_pkt_versioned(
            native, VirtualPath.Pointer, Ngtcp2.StructVersion, null, packet, (nuint)length, ReadTimestamp());
        if (result != 0)
        {
            Fail(result);
        }
    }

    /// <summary>After a train was read: tells handlers what waited for the end of ngtcp2's callbacks.</summary>
    internal void AfterRead()
    {
        if (native == 0)
        {
            return;
        }

        // A stream the peer has stopped while it was blocked hears of it only when it writes: try one of them each time.
        if (parked.TryDequeue(out QuicStream? stream) && stream.IsParked)
        {
            stream.IsParked = false;
            Enqueue(stream);
        }

        for (int i = 0; i < notices.Count; i++)
        {
            try
            {
                notices[i].NotifyRoom();
            }
            catch (Exception e)
            {
                HandlerFailed(e);
                closeRequested = true;
                closeReason = new QuicCloseReason(QuicCloseKind.Error, 0, e.Message);
            }
        }

        notices.Clear();
        Endpoint.MarkDirty(this);
    }

    /// <summary>Writes what there is to write.</summary>
    /// <returns>Whether there is more, for the next turn.</returns>
    internal bool Flush()
    {
        if (native == 0)
        {
            return false;
        }

        if (closeRequested)
        {
            Terminate(closeReason, WriteApplicationClose(closeReason.Code, closeReason.Text), linger: true);
            return false;
        }

        if (kickRequested && !ProbeNow())
        {
            return false;
        }

        while (unsentTrains.TryPeek(out (byte[] Bytes, int Length, int SegmentSize) train))
        {
            if (!output.Send(train.Bytes.AsSpan(0, train.Length), train.SegmentSize))
            {
                SetTimer();
                return false;
            }

            unsentTrains.Dequeue();
        }

        UpdateSendLimit();
        bool more = WriteTrains();
        if (native != 0)
        {
            SetTimer();
        }

        return more && native != 0 && unsentTrains.Count == 0;
    }

    internal void Enqueue(QuicStream stream)
    {
        if (!stream.IsQueued && !stream.IsParked && native != 0)
        {
            stream.IsQueued = true;
            sendQueue.Enqueue(stream);
        }

        Endpoint.MarkDirty(this);
    }

    internal void AddBuffered(int bytes) => buffered += bytes;

    internal bool ShutdownWrite(QuicStream stream, ulong code)
    {
        if (native == 0)
        {
            return false;
        }

        _ = Ngtcp2.ngtcp2_conn_shutdown_stream_write(native, stream.Id, code);
        Endpoint.MarkDirty(this);
        return true;
    }

    internal bool ShutdownRead(QuicStream stream, ulong code)
    {
        if (native == 0)
        {
            return false;
        }

        _ = Ngtcp2.ngtcp2_conn_shutdown_stream_read(native, stream.Id, code);
        Endpoint.MarkDirty(this);
        return true;
    }

    internal void ExtendCredit(QuicStream stream, int bytes)
    {
        if (native == 0)
        {
            return;
        }

        if (!stream.IsClosed)
        {
            // Half of the connection's window is for streams that have not grown: a reader that stops takes it from nobody.
            long budget = (Endpoint.Options.ConnectionWindow / 2) - windowGrowth;
            int before = stream.ReceiveWindow.Growth;
            int credit = stream.ReceiveWindow.Read(bytes, Endpoint.Driver.Now, roundTrip, budget, budget < Endpoint.Options.ConnectionWindow / 4);
            windowGrowth += stream.ReceiveWindow.Growth - before;
            if (credit > 0)
            {
                _ = Ngtcp2.ngtcp2_conn_extend_max_stream_offset(native, stream.Id, (ulong)credit);
            }
        }

        Ngtcp2.ngtcp2_conn_extend_max_offset(native, (ulong)bytes);
        Endpoint.MarkDirty(this);
    }

    /// <summary>Test hook: rotates the keys now.</summary>
    internal int InitiateKeyUpdate()
    {
        int result = Ngtcp2.ngtcp2_conn_initiate_key_update(native, Timestamp());
        if (result == 0)
        {
            Endpoint.MarkDirty(this);
        }

        return result;
    }

    // What the callbacks bring.

    internal bool VerifyPeer(nint tls)
    {
        string? fault = TlsSession.CheckChain(tls, IsClient, Endpoint.Options.CheckCertificateTimes);
        if (fault is null)
        {
            uint count;
            GnuTlsDatum* chain = GnuTls.gnutls_certificate_get_peers(tls, &count);
            if (chain == null || count == 0)
            {
                fault = "none was sent";
            }
            else if (!Handler!.OnPeerCertificate(this, new ReadOnlySpan<byte>(chain->Data, (int)chain->Size)))
            {
                fault = "it is not the peer that was expected";
            }
        }

        if (fault is not null)
        {
            QuicLog.CertificateRefused(Endpoint.Log, fault);
        }

        return fault is null;
    }

    internal int HandlerFailed(Exception exception)
    {
        handlerFailure = exception;
        QuicLog.HandlerFailed(Endpoint.Log, exception);
        return NgError.CallbackFailure;
    }

    /// <returns>false: the certificate of a resumed session is not good any more.</returns>
    internal bool HandshakeCompleted()
    {
        handshakeCompleted = true;
        IsResumed = TlsSession.IsResumed(session);
        if (!IsClient)
        {
            Endpoint.HandshakeOver();
        }

        if (IsResumed && !VerifyPeer(session))
        {
            return false;
        }

        if (!IsClient)
        {
            TlsSession.SendTicket(session);
        }

        // A server has checked the client's certificate. A client learns that it was accepted by "confirmed", or at once where
        // the server has taken its ticket: that is a round trip less for a peer that comes back.
        if (!IsClient || IsResumed)
        {
            BecomeConnected();
        }

        return true;
    }

    internal void TicketReceived(nint tls)
    {
        if (!IsClosed && TlsSession.TakeTicket(tls) is { Length: > 0 } ticket)
        {
            Handler!.OnTicket(this, ticket);
        }
    }

    internal void BecomeConnected()
    {
        if (!IsConnected && !IsClosed)
        {
            IsConnected = true;
            Handler!.OnConnected(this);
        }
    }

    internal void StreamOpenedByPeer(long id)
    {
        // A server opens streams only after it has accepted us, so this confirms the handshake as well, if HANDSHAKE_DONE is late.
        BecomeConnected();
        int slot = ReserveSlot();
        _ = Ngtcp2.ngtcp2_conn_set_stream_user_data(native, id, slot);
        QuicStream stream = AddStream(id, slot);
        Handler!.OnStreamOpened(this, stream);
        if (stream.Handler is null)
        {
            stream.Reset(TcpSplice.ResetCode);
            stream.StopSending(TcpSplice.ResetCode);
        }
    }

    internal void StreamData(long id, nint slot, ReadOnlySpan<byte> data, bool fin) => Stream(slot)?.Deliver(data, fin);

    internal void StreamAcked(nint slot, long offset)
    {
        if (Stream(slot) is { } stream && stream.Acknowledge(offset))
        {
            stream.IsAwaitingNotice = true;
            notices.Add(stream);
        }
    }

    internal void StreamClosed(long id, nint slot)
    {
        bool isRemote = ((id & 1) == 0) != IsClient;
        if (isRemote)
        {
            Ngtcp2.ngtcp2_conn_extend_max_streams_bidi(native, 1);
        }

        if (Stream(slot) is { } stream)
        {
            streams[(int)slot] = null;
            freeSlots.Push((int)slot);
            stream.Close();
        }
    }

    internal void StreamResetByPeer(nint slot, ulong code)
    {
        if (Stream(slot) is { Handler: { } handler } stream)
        {
            handler.OnReset(stream, code);
        }
    }

    internal void StreamUnblocked(nint slot)
    {
        if (Stream(slot) is { IsParked: true } stream)
        {
            stream.IsParked = false;
            Enqueue(stream);
        }
    }

    internal void StreamsAvailable()
    {
        if (wantsStreams)
        {
            wantsStreams = false;
            Handler!.OnStreamsAvailable(this);
        }
    }

    internal void DatagramReceived(ReadOnlySpan<byte> payload)
    {
        BecomeConnected();
        if (!IsClosed)
        {
            Handler!.OnDatagram(this, payload);
        }
    }

    internal void StatelessResetReceived() => isReset = true;

    /// <summary>Ends at once, for the endpoint's own end.</summary>
    internal void Abandon(string reason)
    {
        if (native != 0)
        {
            Terminate(new QuicCloseReason(QuicCloseKind.Local, 0, reason), WriteApplicationClose(0, reason), linger: false);
        }
        else
        {
            timer.Cancel();
            Endpoint.Forget(this);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private QuicStream? Stream(nint slot) => (nuint)slot < (nuint)streams.Length ? streams[(int)slot] : null;

    private int ReserveSlot()
    {
        if (!freeSlots.TryPop(out int slot))
        {
            slot = usedSlots++;
            if (slot >= streams.Length)
            {
                Array.Resize(ref streams, streams.Length * 2);
            }
        }

        return slot;
    }

    private QuicStream AddStream(long id, int slot)
    {
        QuicStream stream = new(this, id, new ByteQueue(Endpoint.Chunks)) { Slot = slot };
        streams[slot] = stream;
        return stream;
    }

    private void OnTimer()
    {
        if (native == 0)
        {
            Endpoint.Forget(this);
            return;
        }

        ulong now = Timestamp();
        if (Ngtcp2.ngtcp2_conn_get_expiry(native) <= now)
        {
            int result = Ngtcp2.ngtcp2_conn_handle_expiry(native, now);
            if (result != 0)
            {
                Fail(result);
                return;
            }
        }

        Endpoint.MarkDirty(this);
    }

    /// <returns>false: the connection ended.</returns>
    private bool ProbeNow()
    {
        kickRequested = false;
        NgConnectionStat stat;
        Ngtcp2.ngtcp2_conn_get_conn_stat_versioned(native, Ngtcp2.StructVersion, &stat);
        if (stat.LossDetectionTimer == ulong.MaxValue)
        {
            // Nothing is in flight, so there is nothing to probe for.
            return true;
        }

        // As if the probe time-out had passed. If the idle timer comes first ngtcp2 says so and has changed nothing: that timer
        // does its work when it is due.
        int result = Ngtcp2.ngtcp2_conn_handle_expiry(native, Math.Max(stat.LossDetectionTimer, Timestamp()));
        if (result is 0 or NgError.IdleClose)
        {
            return true;
        }

        Fail(result);
        return false;
    }

    private void SetTimer()
    {
        ulong expiry = Ngtcp2.ngtcp2_conn_get_expiry(native);
        if (expiry >= long.MaxValue)
        {
            timer.Cancel();
            return;
        }

        // Rounded up to the grain, as the clock is rounded down. A deadline that stays in the past (the output is full, or the
        // congestion window) must not spin the loop.
        long grain = Endpoint.Options.ClockGrain;
        long deadline = ((long)expiry + grain - 1) / grain * grain;
        timer.Set(Math.Max(deadline, Endpoint.Driver.Now + Math.Max(grain, 250_000) / 2));
    }

    /// <summary>
    /// The time as ngtcp2 may see it: coarse, and never going back. What is sent carries the grain's beginning, what comes back
    /// its end: a packet and its acknowledgement are never at the same moment, unless the one was sent because of a packet read
    /// in that same grain. docs/decisions/quic-clock.md.
    /// </summary>
    private ulong Timestamp()
    {
        long grain = Endpoint.Options.ClockGrain;
        ulong now = (ulong)(Endpoint.Driver.Now / grain * grain);
        return lastTimestamp = Math.Max(lastTimestamp, now);
    }

    private ulong ReadTimestamp()
    {
        long grain = Endpoint.Options.ClockGrain;
        ulong now = (ulong)((Endpoint.Driver.Now + grain - 1) / grain * grain);
        return lastTimestamp = Math.Max(lastTimestamp, now);
    }

    /// <summary>A stream has ended: others may grow.</summary>
    internal void ReleaseGrowth(QuicStream stream) => windowGrowth -= stream.ReceiveWindow.Growth;

    private void UpdateSendLimit()
    {
        NgConnectionStat stat;
        Ngtcp2.ngtcp2_conn_get_conn_stat_versioned(native, Ngtcp2.StructVersion, &stat);
        roundTrip = (long)stat.SmoothedRoundTrip;
        long limit = Math.Clamp(2 * (long)stat.CongestionWindow, BaseSendLimit, Math.Max(BaseSendLimit, Endpoint.Options.MaxSendRing));
        StreamSendLimit = buffered > ConnectionSendLimit ? CrowdedSendLimit : (int)limit;
    }

    /// <returns>Whether there is more to write.</returns>
    private bool WriteTrains()
    {
        ulong now = Timestamp();
        byte* buffer = Endpoint.TrainBuffer;
        for (int train = 0; train < TrainsPerFlush; train++)
        {
            int room = output.HeaderRoom;
            int size = DatagramSize;
            int start = 0;
            int end = 0;
            int segment = 0;
            int count = 0;
            bool drained = false;
            while (count < SegmentsPerTrain && end + room + size <= QuicEndpoint.TrainBufferBytes)
            {
                nint written = WritePacket(buffer + end + room, size, now);
                if (written < 0)
                {
                    SendTrain(buffer, start, end, segment);
                    Fail((int)written);
                    return false;
                }

                if (written == 0)
                {
                    drained = true;
                    break;
                }

                int length = room + (int)written;
                packetsOut++;
                bytesOut += written;
                if (count > 0 && length > segment)
                {
                    // All segments of a train have the length of the first: what is longer begins the next one.
                    SendTrain(buffer, start, end, segment);
                    start = end;
                    count = 0;
                }

                if (count++ == 0)
                {
                    segment = length;
                }

                end += length;
                if (length < segment)
                {
                    break;
                }
            }

            SendTrain(buffer, start, end, segment);
            if (handshakeCompleted && end > 0)
            {
                // Before the handshake is done the pace would be reckoned from the initial round trip and hold its second flight back.
                Ngtcp2.ngtcp2_conn_update_pkt_tx_time(native, now);
            }

            if (drained)
            {
                return false;
            }

            if (unsentTrains.Count > 0)
            {
                return false;
            }

            RotateSendQueue();
        }

        return true;
    }

    private void SendTrain(byte* buffer, int start, int end, int segment)
    {
        if (end == start)
        {
            return;
        }

        Span<byte> train = new(buffer + start, end - start);
        int packets = UdpSocket.Segments(train.Length, segment);
        QuicMetrics.CountOut(packets, train.Length - (packets * output.HeaderRoom));
        if (unsentTrains.Count > 0 || !output.Send(train, segment))
        {
            unsentTrains.Enqueue((train.ToArray(), train.Length, segment));
        }
    }

    // Bulk streams take turns train by train.
    private void RotateSendQueue()
    {
        if (sendQueue.Count > 1)
        {
            sendQueue.Enqueue(sendQueue.Dequeue());
        }
    }

    /// <returns>Length of the packet; 0 = nothing (more) may be written now; negative = fatal.</returns>
    private nint WritePacket(byte* destination, int size, ulong now)
    {
        NgVec* vectors = stackalloc NgVec[3];
        while (true)
        {
            nint result;
            if (datagrams.Count > 0 && IsConnected)
            {
                ReadOnlySpan<byte> payload = datagrams.Peek();
                if (payload.Length > size - DatagramOverhead)
                {
                    // The path became smaller since it was queued. ngtcp2 would accept it never and say nothing.
                    datagrams.Dequeue();
                    QuicMetrics.CountDropped();
                    continue;
                }

                int accepted;
                uint flags = datagrams.Count > 1 || sendQueue.Count > 0 ? 1u : 0;
                fixed (byte* data = payload)
                {
                    // An empty vector would end the process: ngtcp2 asserts that each has a length.
                    vectors[0] = new NgVec { Base = data, Length = (nuint)payload.Length };
                    result = Ngtcp2.ngtcp2_conn_writev_datagram_versioned(
                        native, null, Ngtcp2.StructVersion, null, destination, (nuint)size, &accepted, flags, 0, vectors,
                        payload.IsEmpty ? 0u : 1u, now);
                }

                if (accepted != 0)
                {
                    datagrams.Dequeue();
                }

                if (result == NgError.WriteMore)
                {
                    continue;
                }

                return result;
            }

            if (!NextStream(out QuicStream? stream))
            {
                // No data (any more): acknowledgements, retransmissions, control frames, the rest of a packet begun above. This
                // call is also how ngtcp2 learns that we are application-limited, so that small requests do not count as a
                // measure of the path.
                return Ngtcp2.ngtcp2_conn_writev_stream_versioned(
                    native, null, Ngtcp2.StructVersion, null, destination, (nuint)size, null, 0, -1, null, 0, now);
            }

            int vectorCount = stream.Gather(vectors, 3, size, out int bytes);
            bool withFin = stream.FinQueued && bytes == stream.Unsent;
            uint streamFlags = (withFin ? 2u : 0) | (sendQueue.Count > 1 && bytes < size ? 1u : 0);
            nint taken;
            result = Ngtcp2.ngtcp2_conn_writev_stream_versioned(
                native, null, Ngtcp2.StructVersion, null, destination, (nuint)size, &taken, streamFlags, stream.Id, vectors,
                (nuint)vectorCount, now);
            if (taken >= 0)
            {
                stream.Advance((int)taken, withFin && taken == bytes);
                if (!stream.HasWork)
                {
                    Dequeue(stream);
                }
            }

            switch (result)
            {
                case NgError.WriteMore:
                    continue;
                case NgError.StreamDataBlocked:
                    Dequeue(stream);
                    stream.IsParked = true;
                    parked.Enqueue(stream);
                    continue;
                case NgError.StreamShutWrite:
                case NgError.StreamNotFound:
                    Dequeue(stream);
                    Endpoint.Driver.AtEndOfTurn(stream.StoppedByPeer);
                    continue;
                default:
                    return result;
            }
        }
    }

    /// <summary>The stream at the head of the queue, if it may send.</summary>
    private bool NextStream([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out QuicStream? stream)
    {
        while (sendQueue.TryPeek(out stream))
        {
            if (!stream.HasWork)
            {
                Dequeue(stream);
            }
            else if (stream.Unsent == 0 || Ngtcp2.ngtcp2_conn_get_max_data_left(native) > 0)
            {
                return true;
            }
            else
            {
                // The connection's window is used up. No callback tells of more: the next packet that is read leads here again.
                break;
            }
        }

        stream = null;
        return false;
    }

    private void Dequeue(QuicStream stream)
    {
        sendQueue.Dequeue();
        stream.IsQueued = false;
    }

    private void AnswerLatePacket()
    {
        // RFC 9000 10.2.1: answers thin out, or two closed ends would keep each other busy.
        if (closePacket is not null && System.Numerics.BitOperations.IsPow2(++closeAnswers))
        {
            SendSingle(closePacket);
        }
    }

    private void SendSingle(ReadOnlySpan<byte> packet)
    {
        int room = output.HeaderRoom;
        byte[] bytes = new byte[room + packet.Length];
        packet.CopyTo(bytes.AsSpan(room));
        output.Send(bytes, bytes.Length);
    }

    /// <summary>Ends the connection after ngtcp2 refused to go on. Never inside a callback.</summary>
    private void Fail(int error)
    {
        if (native == 0)
        {
            return;
        }

        switch (error)
        {
            case NgError.IdleClose:
                Terminate(new QuicCloseReason(QuicCloseKind.Idle, 0, "the peer was silent"), null, linger: false);
                break;
            case NgError.HandshakeTimeout:
                Terminate(new QuicCloseReason(QuicCloseKind.HandshakeTimeout, 0, "the handshake did not end in time"), null, false);
                break;
            case NgError.DropConnection:
            case NgError.Retry:
                Terminate(new QuicCloseReason(QuicCloseKind.Error, 0, Ngtcp2.Describe(error)), null, linger: false);
                break;
            case NgError.Draining or NgError.Closing when isReset:
                Terminate(new QuicCloseReason(QuicCloseKind.Reset, 0, "the peer does not know this connection"), null, linger: true);
                break;
            case NgError.Draining or NgError.Closing:
                Terminate(ReadPeersReason(), null, linger: true);
                break;
            case NgError.Crypto:
                byte alert = Ngtcp2.ngtcp2_conn_get_tls_alert(native);
                Terminate(
                    new QuicCloseReason(QuicCloseKind.Tls, alert, $"refused: {GnuTls.DescribeAlert(alert)}"), WriteTlsClose(alert), linger: true);
                break;
            default:
                string text = handlerFailure?.Message ?? Ngtcp2.Describe(error);
                Terminate(new QuicCloseReason(QuicCloseKind.Error, (ulong)-(long)error, text), WriteErrorClose(error), linger: true);
                break;
        }
    }

    private QuicCloseReason ReadPeersReason()
    {
        NgCloseError error;
        Ngtcp2.ngtcp2_conn_get_connection_close_error(native, &error);
        string text = error.Reason == null || error.ReasonLength == 0
            ? string.Empty
            : Encoding.UTF8.GetString(new ReadOnlySpan<byte>(error.Reason, (int)Math.Min(error.ReasonLength, 1024)));
        return (error.Type, error.Code) switch
        {
            (1, _) => new QuicCloseReason(QuicCloseKind.Peer, error.Code, text),
            (_, >= 0x100 and <= 0x1ff) => new QuicCloseReason(
                QuicCloseKind.Tls, error.Code & 0xff, $"the peer refused: {GnuTls.DescribeAlert((int)(error.Code & 0xff))}"),
            (_, 0xc) => new QuicCloseReason(QuicCloseKind.Peer, 0, "closed during the handshake"),
            (_, 0) => new QuicCloseReason(QuicCloseKind.Peer, 0, text),
            (_, 2) => new QuicCloseReason(QuicCloseKind.Peer, 0, "the peer refused the connection"),
            _ => new QuicCloseReason(QuicCloseKind.Error, error.Code, $"the peer reports transport error 0x{error.Code:x} {text}"),
        };
    }

    private byte[]? WriteApplicationClose(ulong code, string reason)
    {
        byte[] text = Encoding.UTF8.GetBytes(reason);
        NgCloseError error;
        Ngtcp2.ngtcp2_connection_close_error_default(&error);
        fixed (byte* pointer = text)
        {
            Ngtcp2.ngtcp2_connection_close_error_set_application_error(
                &error, code, pointer, (nuint)Math.Min(text.Length, 256));
            return WriteClose(&error);
        }
    }

    private byte[]? WriteTlsClose(byte alert)
    {
        NgCloseError error;
        Ngtcp2.ngtcp2_connection_close_error_default(&error);
        Ngtcp2.ngtcp2_connection_close_error_set_transport_error_tls_alert(&error, alert, null, 0);
        return WriteClose(&error);
    }

    private byte[]? WriteErrorClose(int code)
    {
        NgCloseError error;
        Ngtcp2.ngtcp2_connection_close_error_default(&error);
        Ngtcp2.ngtcp2_connection_close_error_set_transport_error_liberr(&error, code, null, 0);
        return WriteClose(&error);
    }

    private byte[]? WriteClose(NgCloseError* error)
    {
        byte* packet = stackalloc byte[1200];
        nint length = Ngtcp2.ngtcp2_conn_write_connection_close_versioned(
            native, null, Ngtcp2.StructVersion, null, packet, 1200, error, Timestamp());
        return length > 0 ? new ReadOnlySpan<byte>(packet, (int)length).ToArray() : null;
    }

    /// <param name="packet">CONNECTION_CLOSE to send, or null to fall silent.</param>
    /// <param name="linger">Keep the connection ids for three PTO, so that late packets do not look like a stranger's.</param>
    private void Terminate(QuicCloseReason reason, byte[]? packet, bool linger)
    {
        lastStats = ReadStats();
        long pto = (long)Ngtcp2.ngtcp2_conn_get_pto(native);
        nint connection = native;
        nint tls = session;
        native = 0;
        session = 0;
        IsConnected = false;
        closePacket = packet;
        unsentTrains.Clear();
        if (packet is not null)
        {
            SendSingle(packet);
        }

        for (int i = 0; i < usedSlots && i < streams.Length; i++)
        {
            if (streams[i] is { } stream)
            {
                streams[i] = null;
                CloseQuietly(stream);
            }
        }

        sendQueue.Clear();
        parked.Clear();
        notices.Clear();
        datagrams.Clear();
        streams = new QuicStream?[1];
        freeSlots = new Stack<int>();
        Ngtcp2.ngtcp2_conn_del(connection);
        GnuTls.gnutls_deinit(tls);
        Release();
        Endpoint.Ended(this, reason);
        if (!IsClient && !handshakeCompleted)
        {
            Endpoint.HandshakeOver();
        }

        if (linger)
        {
            timer.Set(Endpoint.Driver.Now + Math.Max(3 * pto, 30_000_000));
        }
        else
        {
            timer.Cancel();
            Endpoint.Forget(this);
        }

        try
        {
            Handler?.OnClosed(this, reason);
        }
        catch (Exception e)
        {
            QuicLog.HandlerFailed(Endpoint.Log, e);
        }
    }

    private void CloseQuietly(QuicStream stream)
    {
        try
        {
            stream.Close();
        }
        catch (Exception e)
        {
            QuicLog.HandlerFailed(Endpoint.Log, e);
        }
    }

    private void Release()
    {
        NativeMemory.Free(reference);
        reference = null;
        self.Free();
        credentials!.DangerousRelease();
        credentials = null;
    }

    private QuicConnectionStats ReadStats()
    {
        NgConnectionStat stat;
        Ngtcp2.ngtcp2_conn_get_conn_stat_versioned(native, Ngtcp2.StructVersion, &stat);
        return new QuicConnectionStats(
            (long)stat.SmoothedRoundTrip,
            stat.MinRoundTrip == ulong.MaxValue ? 0 : (long)stat.MinRoundTrip,
            (long)stat.CongestionWindow,
            (long)stat.BytesInFlight,
            bytesIn,
            bytesOut,
            packetsIn,
            packetsOut,
            (int)stat.PtoCount);
    }
}
