using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using EdgeMesh.Quic.Native;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Quic;

/// <summary>
/// All connections of a node on one reactor: finds the connection of a datagram, accepts new ones, answers packets of a former
/// life with a stateless reset, writes what a turn produced at its end. An idle connection costs nothing per turn.
/// In the loop only; the constructor may run anywhere.
/// </summary>
public sealed unsafe class QuicEndpoint : IDisposable
{
    internal const int TrainBufferBytes = 65_000;

    // Every id we give out has this length, so that the id of a short header is found without a look at its connection.
    private const int ConnectionIdLength = 8;

    // The id that a dialler makes up for the peer: as many random bytes (RFC 9000 section 7.2), then its tag.
    private const int FirstIdLength = ConnectionIdLength + sizeof(ulong);

    // RFC 9000 10.3: a reset must look like a short packet and be shorter than what it answers, or two could go on for ever.
    private const int ResetLength = 42;
    private const int MinResetLength = 21;
    private const int ResetsPerSecond = 200;

    private const long TrimPause = 1_000_000_000;

    private readonly Func<QuicConnection, IQuicHandler?> accept;
    private readonly IQuicShards? shards;
    private readonly Dictionary<ulong, QuicConnection> connections = [];
    private readonly ConcurrentDictionary<UInt128, QuicConnection> peerResetTokens;
    private readonly HashSet<QuicConnection> known = [];
    private readonly byte[] resetSecret;
    private readonly byte[] trainBuffer = GC.AllocateUninitializedArray<byte>(TrainBufferBytes, pinned: true);
    private readonly Action flushAll;
    private readonly Action resumeLater;
    private readonly ReactorTimer trim;
    private List<QuicConnection> dirty = [];
    private List<QuicConnection> flushing = [];
    private readonly List<QuicConnection> later = [];
    private QuicCredentials credentials;
    private bool flushScheduled;
    private bool disposed;
    private long resetWindowStart;
    private int resetsInWindow;
    private int handshakes;

    /// <param name="accept">Called for a peer's first packet: the handler of the new connection, or null to refuse.</param>
    /// <param name="shards">The endpoints that share its UDP port; null if there is no other.</param>
    public QuicEndpoint(
        Reactor reactor,
        QuicEndpointOptions options,
        QuicCredentials credentials,
        Func<QuicConnection, IQuicHandler?> accept,
        ILogger log,
        IQuicShards? shards = null)
        : this((IQuicDriver)reactor, options, credentials, accept, log, shards)
    {
    }

    /// <inheritdoc cref="QuicEndpoint(Reactor, QuicEndpointOptions, QuicCredentials, Func{QuicConnection, IQuicHandler?}, ILogger, IQuicShards?)"/>
    public QuicEndpoint(
        IQuicDriver driver,
        QuicEndpointOptions options,
        QuicCredentials credentials,
        Func<QuicConnection, IQuicHandler?> accept,
        ILogger log,
        IQuicShards? shards = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(options.ResetSecret.Length, 32, nameof(options.ResetSecret));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(options.Shard, UdpSteering.MaxSockets, nameof(options.Shard));
        QuicLibrary.EnsureLoaded();
        TicketKey = new TicketKey();
        Driver = driver;
        trim = driver.CreateTimer(Trim);
        Chunks = new ChunkPool(() => trim.Set(Driver.Now + TrimPause));
        Options = options with
        {
            MaxDatagramSize = Math.Clamp(options.MaxDatagramSize, 1200, 16_000),
            ClockGrain = Math.Max(options.ClockGrain, 1),
        };
        Alpn = Encoding.ASCII.GetBytes(options.Alpn);
        Log = log;
        this.credentials = credentials;
        this.accept = accept;
        this.shards = shards;
        peerResetTokens = shards?.ResetTokens.Connections ?? new();
        resetSecret = options.ResetSecret.ToArray();
        flushAll = FlushAll;
        resumeLater = ResumeLater;
    }

    /// <summary>Connections open now, handshakes included.</summary>
    public int ConnectionCount { get; private set; }

    internal IQuicDriver Driver { get; }

    internal QuicEndpointOptions Options { get; }

    internal byte[] Alpn { get; }

    internal ILogger Log { get; }

    internal ChunkPool Chunks { get; }

    internal TicketKey TicketKey { get; }

    internal byte* TrainBuffer => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(trainBuffer, 0);

    /// <summary>For connections from now on. The former ones may be disposed at once: connections keep theirs until they end.</summary>
    public void UseCredentials(QuicCredentials renewed) => credentials = renewed;

    /// <summary>Begins a handshake; the outcome comes through <paramref name="handler"/>.</summary>
    /// <param name="ticket">From <see cref="IQuicHandler.OnTicket"/>, or empty; one that is not accepted costs nothing.</param>
    public QuicConnection Connect(IQuicOutput output, IQuicHandler handler, ReadOnlySpan<byte> ticket = default)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        QuicConnection connection = new(this, isClient: true, output) { Handler = handler };
        Create(connection, null, null, ticket);
        return connection;
    }

    /// <summary>Feeds datagrams, each <paramref name="segmentSize"/> long but the last.</summary>
    /// <param name="replyTo">Where they came from: the output of a connection accepted by this call, and of stateless resets.</param>
    /// <returns>The connection of the first of them that belongs to one here, or null.</returns>
    public QuicConnection? Receive(Span<byte> train, int segmentSize, IQuicOutput replyTo)
    {
        if (disposed || train.IsEmpty || segmentSize <= 0)
        {
            return null;
        }

        QuicConnection? first = null;
        QuicConnection? current = null;
        ulong currentId = 0;
        QuicMetrics.CountIn(UdpSocket.Segments(train.Length, segmentSize), train.Length);
        fixed (byte* data = train)
        {
            for (int offset = 0; offset < train.Length; offset += segmentSize)
            {
                int length = Math.Min(segmentSize, train.Length - offset);
                byte* packet = data + offset;
                if (!TryReadDestination(new ReadOnlySpan<byte>(packet, length), out ulong id, out bool isLong, out ulong? tag))
                {
                    QuicMetrics.PacketsUnknown.Add(1);
                    continue;
                }

                if (current is null || id != currentId)
                {
                    if (!connections.TryGetValue(id, out QuicConnection? connection))
                    {
                        connection = isLong ? null : FindByResetToken(packet, length);
                        if (shards is not null && ShardOf(connection, id, tag) is var shard && shard != Options.Shard)
                        {
                            shards.HandOver(shard, train.Slice(offset, length));
                            continue;
                        }

                        connection ??= isLong ? Accept(packet, length, replyTo) : null;
                        if (connection is null)
                        {
                            QuicMetrics.PacketsUnknown.Add(1);
                            if (!isLong)
                            {
                                SendStatelessReset(id, length, replyTo);
                            }

                            continue;
                        }
                    }

                    if (current is not null && !ReferenceEquals(current, connection))
                    {
                        current.AfterRead();
                    }

                    current = connection;
                    currentId = id;
                }

                first ??= current;
                current.Read(packet, length);
            }
        }

        current?.AfterRead();
        return first is { IsAlive: true } ? first : null;
    }

    /// <summary>Closes all connections at once, with one CONNECTION_CLOSE each.</summary>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        foreach (QuicConnection connection in known.ToArray())
        {
            connection.Abandon("the endpoint closes");
        }

        trim.Cancel();
        TicketKey.Dispose();
        Chunks.Dispose();
    }

    internal void MarkDirty(QuicConnection connection)
    {
        if (connection.IsDirty || !connection.IsAlive)
        {
            return;
        }

        connection.IsDirty = true;
        dirty.Add(connection);
        if (!flushScheduled)
        {
            flushScheduled = true;
            Driver.AtEndOfTurn(flushAll);
        }
    }

    /// <summary>What a dial calls the peer until that has named itself: it leads to the peer's first socket, and the tag from there.</summary>
    internal void FillFirstId(NgCid* cid)
    {
        FillId(cid, 0);
        BinaryPrimitives.WriteUInt64BigEndian(new Span<byte>(cid->Data + ConnectionIdLength, sizeof(ulong)), Options.ClientTag);
        cid->Length = FirstIdLength;
    }

    /// <summary>A fresh id that leads to the connection, and its reset token.</summary>
    internal void CreateConnectionId(QuicConnection connection, NgCid* cid, byte* token)
    {
        FillId(cid, Options.Shard);
        fixed (byte* secret = resetSecret)
        {
            if (GnuTls.ngtcp2_crypto_generate_stateless_reset_token(token, secret, (nuint)resetSecret.Length, cid) != 0)
            {
                throw new InvalidOperationException("no stateless reset token");
            }
        }

        Map(connection, Key(cid));
    }

    internal void RemoveConnectionId(QuicConnection connection, NgCid* cid)
    {
        if (cid->Length == ConnectionIdLength)
        {
            ulong key = Key(cid);
            connections.Remove(key);
            connection.RemoveConnectionId(key);
        }
    }

    /// <summary>A client has proved who it is, or has gone.</summary>
    internal void HandshakeOver() => handshakes--;

    internal void Ended(QuicConnection connection, QuicCloseReason reason)
    {
        ConnectionCount--;
        QuicMetrics.Connections.Add(-1);
        QuicMetrics.Closed.Add(1, new KeyValuePair<string, object?>("kind", reason.Kind.ToString()));
        QuicLog.ConnectionEnded(Log, connection.FirstConnectionId, reason.Kind, reason.Code, reason.Text);
    }

    internal void PeerResetToken(QuicConnection connection, ReadOnlySpan<byte> token, bool isActive)
    {
        UInt128 key = BinaryPrimitives.ReadUInt128BigEndian(token);
        if (isActive)
        {
            peerResetTokens[key] = connection;
            connection.PeerResetTokens.Add(key);
        }
        else
        {
            peerResetTokens.TryRemove(key, out _);
            connection.PeerResetTokens.Remove(key);
        }
    }

    /// <summary>Its ids mean nothing any more.</summary>
    internal void Forget(QuicConnection connection)
    {
        foreach (ulong id in connection.ConnectionIds)
        {
            connections.Remove(id);
        }

        foreach (UInt128 token in connection.PeerResetTokens)
        {
            peerResetTokens.TryRemove(token, out _);
        }

        known.Remove(connection);
    }

    private static ulong Key(NgCid* cid) => BinaryPrimitives.ReadUInt64BigEndian(new ReadOnlySpan<byte>(cid->Data, ConnectionIdLength));

    private static void FillId(NgCid* cid, int shard)
    {
        cid->Length = ConnectionIdLength;
        RandomNumberGenerator.Fill(new Span<byte>(cid->Data, ConnectionIdLength));
        cid->Data[0] = UdpSteering.Mark(cid->Data[0], shard);
    }

    // RFC 8999: the destination id stands behind the first byte in a short header, behind version and its length in a long one.
    private static bool TryReadDestination(ReadOnlySpan<byte> packet, out ulong id, out bool isLong, out ulong? tag)
    {
        id = 0;
        tag = null;
        isLong = packet.Length > 0 && (packet[0] & 0x80) != 0;
        int at = isLong ? 6 : 1;
        int length = isLong && packet.Length > at ? packet[5] : ConnectionIdLength;
        if (packet.Length < at + length || length is not (ConnectionIdLength or FirstIdLength))
        {
            return false;
        }

        id = BinaryPrimitives.ReadUInt64BigEndian(packet[at..]);
        tag = length == FirstIdLength ? BinaryPrimitives.ReadUInt64BigEndian(packet[(at + ConnectionIdLength)..]) : null;
        return true;
    }

    // Whose packet that is: a reset's by its token, a dial's by the dialler's tag, else the id says.
    private int ShardOf(QuicConnection? reset, ulong id, ulong? tag)
    {
        int shard = reset?.Endpoint.Options.Shard ?? (tag is { } client ? shards!.ShardOf(client) : UdpSteering.ShardOf(id));
        return shard < shards!.Count ? shard : Options.Shard;
    }

    private void Map(QuicConnection connection, ulong id)
    {
        connections[id] = connection;
        connection.AddConnectionId(id);
    }

    private void Create(QuicConnection connection, NgCid* clientDcid, NgCid* clientScid, ReadOnlySpan<byte> ticket)
    {
        try
        {
            connection.Create(credentials.Handle, clientDcid, clientScid, ticket);
        }
        catch
        {
            Forget(connection);
            throw;
        }

        known.Add(connection);
        ConnectionCount++;
        QuicMetrics.Connections.Add(1);
        MarkDirty(connection);
    }

    private QuicConnection? Accept(byte* packet, int length, IQuicOutput replyTo)
    {
        NgPacketHeader header;
        if (Ngtcp2.ngtcp2_accept(&header, packet, (nuint)length) != 0 || header.Version != Ngtcp2.ProtocolVersion1)
        {
            return null;
        }

        if (handshakes >= Options.MaxHandshakes)
        {
            // Most likely a flood of forged first packets: no answer, no memory. An honest client tries again.
            return null;
        }

        if (ConnectionCount >= Options.MaxConnections)
        {
            QuicLog.TooManyConnections(Log, Options.MaxConnections);
            Refuse(&header, replyTo);
            return null;
        }

        QuicConnection connection = new(this, isClient: false, replyTo);
        IQuicHandler? handler = accept(connection);
        if (handler is null)
        {
            Refuse(&header, replyTo);
            return null;
        }

        connection.Handler = handler;
        Create(connection, &header.Dcid, &header.Scid, default);

        handshakes++;

        // The client goes on using the id it chose until it has ours.
        Map(connection, Key(&header.Dcid));
        return connection;
    }

    private static void Refuse(NgPacketHeader* header, IQuicOutput replyTo)
    {
        const ulong connectionRefused = 2;
        int room = replyTo.HeaderRoom;
        byte[] bytes = new byte[room + 1200];
        nint length;
        fixed (byte* pointer = bytes)
        {
            length = Ngtcp2.ngtcp2_crypto_write_connection_close(
                pointer + room, 1200, header->Version, &header->Scid, &header->Dcid, connectionRefused, null, 0);
        }

        if (length > 0)
        {
            replyTo.Send(bytes.AsSpan(0, room + (int)length), room + (int)length);
        }
    }

    // A stateless reset carries random bytes where the connection id would stand: it is known by the token at its end.
    private QuicConnection? FindByResetToken(byte* packet, int length) =>
        length >= MinResetLength
        && peerResetTokens.TryGetValue(
            BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(packet + length - 16, 16)), out QuicConnection? connection)
            ? connection
            : null;

    private void SendStatelessReset(ulong id, int length, IQuicOutput replyTo)
    {
        if (length <= MinResetLength || !MayReset())
        {
            return;
        }

        int resetLength = Math.Min(ResetLength, length - 1);

        NgCid cid;
        cid.Length = ConnectionIdLength;
        BinaryPrimitives.WriteUInt64BigEndian(new Span<byte>(cid.Data, ConnectionIdLength), id);
        byte* token = stackalloc byte[16];
        byte* random = stackalloc byte[ResetLength];
        RandomNumberGenerator.Fill(new Span<byte>(random, ResetLength));
        int room = replyTo.HeaderRoom;
        byte[] bytes = new byte[room + resetLength];
        nint written;
        fixed (byte* secret = resetSecret, pointer = bytes)
        {
            if (GnuTls.ngtcp2_crypto_generate_stateless_reset_token(token, secret, (nuint)resetSecret.Length, &cid) != 0)
            {
                return;
            }

            written = Ngtcp2.ngtcp2_pkt_write_stateless_reset(pointer + room, (nuint)resetLength, token, random, (nuint)resetLength - 16);
        }

        if (written > 0 && replyTo.Send(bytes.AsSpan(0, room + (int)written), room + (int)written))
        {
            QuicMetrics.ResetsSent.Add(1);
        }
    }

    private bool MayReset()
    {
        if (Driver.Now - resetWindowStart > 1_000_000_000)
        {
            resetWindowStart = Driver.Now;
            resetsInWindow = 0;
        }

        return resetsInWindow++ < ResetsPerSecond;
    }

    private void FlushAll()
    {
        flushScheduled = false;
        (dirty, flushing) = (flushing, dirty);
        for (int i = 0; i < flushing.Count; i++)
        {
            QuicConnection connection = flushing[i];
            connection.IsDirty = false;
            bool hasMore = false;
            try
            {
                hasMore = connection.Flush();
            }
            catch (Exception e)
            {
                // An output that throws is a fault of its owner; the others still get their turn.
                QuicLog.HandlerFailed(Log, e);
                connection.Close(0, "fault of the output");
            }

            if (hasMore && !connection.IsDirty)
            {
                connection.IsDirty = true;
                later.Add(connection);
                if (later.Count == 1)
                {
                    Driver.NextTurn(resumeLater);
                }
            }
        }

        flushing.Clear();
    }

    private void Trim()
    {
        if (!disposed && Chunks.Trim())
        {
            trim.Set(Driver.Now + TrimPause);
        }
    }

    private void ResumeLater()
    {
        dirty.AddRange(later);
        later.Clear();
        if (dirty.Count > 0 && !flushScheduled)
        {
            flushScheduled = true;
            Driver.AtEndOfTurn(flushAll);
        }
    }
}
