using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>A UDP socket of one family on the reactor that moves trains of datagrams: GSO out, GRO in. In the loop only.</summary>
public sealed unsafe class UdpSocket : ILoopSource, IDisposable
{
    // One system call takes at most this much: the kernel's limits are 64 segments (128 from 6.9 on) and 65,507 bytes.
    private const int MaxSegments = 64;
    private const int MaxTrainBytes = 65_000;

    // A turn reads at most this many trains, so that what they cause is written before the next ones are read.
    private const int TrainsPerTurn = 16;

    private readonly Reactor reactor;
    private readonly Socket socket;
    private readonly DatagramHandler onDatagrams;
    private readonly int fd;
    private int slot = -1;
    private bool disposed;
    private bool waitsForRoom;
    private long unreadSince;
    private uint reads;
    private bool isBusy;
    private bool segmentation = true;
    private long packetsIn;
    private long bytesIn;
    private long callsIn;
    private long packetsOut;
    private long bytesOut;
    private long callsOut;
    private long dropped;

    private UdpSocket(Reactor reactor, Socket socket, DatagramHandler onDatagrams)
    {
        this.reactor = reactor;
        this.socket = socket;
        this.onDatagrams = onDatagrams;
        fd = (int)socket.Handle;
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>The socket has room again after <see cref="SendResult.WouldBlock"/>.</summary>
    public event Action? Writable;

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>The file's number.</summary>
    public int Descriptor => fd;

    /// <summary>Any thread; a value may be one train old.</summary>
    public UdpSocketCounters Counters => new(packetsIn, bytesIn, callsIn, packetsOut, bytesOut, callsOut, dropped);

    /// <summary>ns for which there has been something to read on end, however much was read; 0 when all was read. In the loop only.</summary>
    public long Behind => unreadSince == 0 ? 0 : reactor.Now - unreadSince;

    /// <summary>Whether trains go out as one system call (UDP_SEGMENT).</summary>
    internal bool UsesSegmentation
    {
        get => segmentation;
        set => segmentation = value;
    }

    /// <summary>Datagrams of a train. Any thread.</summary>
    public static int Segments(int bytes, int segmentSize) => (bytes + segmentSize - 1) / segmentSize;

    /// <summary>Binds and begins to receive. Any thread.</summary>
    /// <exception cref="SocketException">The address is taken or not ours, or the mark was refused.</exception>
    public static UdpSocket Open(Reactor reactor, IPEndPoint bind, UdpSocketOptions options, DatagramHandler onDatagrams) =>
        Open(reactor, bind, options, onDatagrams, reusePort: false);

    /// <summary>
    /// One socket on each reactor, all on one address and port; the kernel chooses among them by the QUIC connection id
    /// (<see cref="UdpSteering"/>). A datagram may still come to any of them. Any thread.
    /// </summary>
    /// <exception cref="SocketException">As for <see cref="Open"/>: others' sockets, of this user too, share nothing.</exception>
    public static UdpSocket[] OpenGroup(
        IReadOnlyList<Reactor> reactors, IPEndPoint bind, UdpSocketOptions options, IReadOnlyList<DatagramHandler> onDatagrams)
    {
        UdpSocket[] group = new UdpSocket[reactors.Count];
        try
        {
            // Bound without SO_REUSEPORT: a port that another agent has is taken.
            group[0] = Open(reactors[0], bind, options, onDatagrams[0], reusePort: false);
            for (int i = 1; i < group.Length; i++)
            {
                Libc.SetOption(group[0].fd, Libc.SolSocket, Libc.SoReusePort, 1);
                group[i] = Open(reactors[i], group[0].LocalEndPoint, options, onDatagrams[i], reusePort: true);
            }

            if (group.Length > 1)
            {
                _ = UdpSteering.TryAttach(group[0].fd, options.Wrapper);
            }

            return group;
        }
        catch
        {
            foreach (UdpSocket? opened in group)
            {
                opened?.Dispose();
            }

            throw;
        }
    }

    private static UdpSocket Open(Reactor reactor, IPEndPoint bind, UdpSocketOptions options, DatagramHandler onDatagrams, bool reusePort)
    {
        Socket socket = new(bind.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (bind.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            int fd = (int)socket.Handle;
            Configure(fd, bind.AddressFamily, options);
            if (reusePort)
            {
                Libc.SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 1);
            }

            socket.Blocking = false;
            socket.Bind(bind);
            UdpSocket udp = new(reactor, socket, onDatagrams);
            reactor.Post(static u => u.Register(), udp);
            return udp;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a train; never throws for reasons of the network.</summary>
    public SendResult Send(in UdpAddress to, ReadOnlySpan<byte> train, int segmentSize)
    {
        if (disposed)
        {
            return SendResult.Unreachable;
        }

        byte* name = stackalloc byte[SocketAddress.MaxLength];
        uint nameLength = SocketAddress.Write(name, to);
        fixed (byte* data = train)
        {
            int offset = 0;
            do
            {
                int perCall = segmentation ? Math.Max(1, Math.Min(MaxSegments, MaxTrainBytes / segmentSize)) * segmentSize : segmentSize;
                int length = Math.Min(perCall, train.Length - offset);
                SendResult result = SendOnce(name, nameLength, data + offset, length, segmentSize);
                if (result == SendResult.WouldBlock)
                {
                    if (offset > 0)
                    {
                        // The head of the train has left: the tail counts as lost on the way, the sender's recovery sees to it.
                        dropped += Segments(train.Length - offset, segmentSize);
                        WaitForRoom();
                        return SendResult.Sent;
                    }

                    WaitForRoom();
                    return result;
                }

                if (result != SendResult.Sent)
                {
                    dropped += Segments(train.Length - offset, segmentSize);
                    return result;
                }

                offset += length;
            }
            while (offset < train.Length);
        }

        return SendResult.Sent;
    }

    /// <summary>Any thread.</summary>
    public void Dispose() => reactor.Run(static u => u.Close(), this);

    void ILoopSource.OnEvents(int events)
    {
        if ((events & Libc.EpollOut) != 0 && waitsForRoom)
        {
            waitsForRoom = false;
            reactor.Modify(slot, fd, Libc.EpollIn);
            Writable?.Invoke();
        }

        if ((events & (Libc.EpollIn | Libc.EpollErr)) != 0)
        {
            ReceiveTrains();
        }
    }

    private static void Configure(int fd, AddressFamily family, UdpSocketOptions options)
    {
        if (options.Mark is int mark && !Libc.SetOption(fd, Libc.SolSocket, Libc.SoMark, mark))
        {
            throw new SocketException(Marshal.GetLastPInvokeError());
        }

        // FORCE needs CAP_NET_ADMIN; without it the kernel grants up to rmem_max. Default buffers would cost half the throughput.
        if (!Libc.SetOption(fd, Libc.SolSocket, Libc.SoReceiveBufferForce, options.BufferBytes))
        {
            Libc.SetOption(fd, Libc.SolSocket, Libc.SoReceiveBuffer, options.BufferBytes);
        }

        if (!Libc.SetOption(fd, Libc.SolSocket, Libc.SoSendBufferForce, options.BufferBytes))
        {
            Libc.SetOption(fd, Libc.SolSocket, Libc.SoSendBuffer, options.BufferBytes);
        }

        if (options.DontFragment)
        {
            // IP_MTU_DISCOVER 10, IPV6_MTU_DISCOVER 23, value PROBE 3: DF, but the route's cached MTU does not limit us.
            bool v6 = family == AddressFamily.InterNetworkV6;
            Libc.SetOption(fd, v6 ? 41 : 0, v6 ? 23 : 10, 3);
        }

        Libc.SetOption(fd, Libc.SolUdp, Libc.UdpGro, 1);
    }

    private void Register()
    {
        if (!disposed)
        {
            slot = reactor.Add(this, fd, Libc.EpollIn);
        }
    }

    private void Close()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        if (slot >= 0)
        {
            reactor.Remove(slot, fd);
        }

        socket.Dispose();
    }

    private void WaitForRoom()
    {
        if (!waitsForRoom && slot >= 0)
        {
            waitsForRoom = true;
            reactor.Modify(slot, fd, Libc.EpollIn | Libc.EpollOut);
        }
    }

    private SendResult SendOnce(byte* name, uint nameLength, byte* data, int length, int segmentSize)
    {
        IoVec vector = new() { Base = data, Length = (nuint)length };
        ControlMessage control = new() { Length = 18, Level = Libc.SolUdp, Type = Libc.UdpSegment, UInt16 = (ushort)segmentSize };
        bool isTrain = length > segmentSize;
        MessageHeader message = new()
        {
            Name = name,
            NameLength = nameLength,
            Vectors = &vector,
            VectorCount = 1,
            Control = isTrain ? &control : null,
            ControlLength = isTrain ? 24u : 0,
        };
        while (true)
        {
            if (Libc.sendmsg(fd, &message, Libc.MsgDontWait | Libc.MsgNoSignal) >= 0)
            {
                callsOut++;
                packetsOut += Segments(length, segmentSize);
                bytesOut += length;
                return SendResult.Sent;
            }

            int error = Marshal.GetLastPInvokeError();
            switch (error)
            {
                case Libc.Interrupted:
                    continue;
                case Libc.Again:
                    return SendResult.WouldBlock;
                case Libc.NoBuffers:
                    // The device's queue is full, which EPOLLOUT does not tell: as good as lost on the way.
                    dropped += Segments(length, segmentSize);
                    return SendResult.Sent;
                case Libc.MessageTooLong:
                    return SendResult.TooBig;
                case Libc.IoError or Libc.Invalid when isTrain:
                    // A device without checksum offload cannot segment for us.
                    segmentation = false;
                    return SendSingly(name, nameLength, data, length, segmentSize);
                default:
                    return SendResult.Unreachable;
            }
        }
    }

    private SendResult SendSingly(byte* name, uint nameLength, byte* data, int length, int segmentSize)
    {
        for (int offset = 0; offset < length; offset += segmentSize)
        {
            SendResult result = SendOnce(name, nameLength, data + offset, Math.Min(segmentSize, length - offset), segmentSize);
            if (result != SendResult.Sent)
            {
                return offset == 0 ? result : SendResult.Sent;
            }
        }

        return SendResult.Sent;
    }

    private void ReceiveTrains()
    {
        byte* name = stackalloc byte[SocketAddress.MaxLength];
        byte* controlBuffer = stackalloc byte[64];

        // The loop's, not the socket's: one page of an own buffer would stay resident with each of ten thousand flows.
        byte* receiveBuffer = reactor.ReceiveBuffer;
        unreadSince = unreadSince == 0 ? reactor.Now : unreadSince;

        // Mostly one train comes at a time, and its answer should not wait for a look that finds nothing: whether there is a second is
        // asked if there was one the last time, else at every fourth. What is left leads to another event in the next turn.
        int most = isBusy || ++reads % 4 == 0 ? TrainsPerTurn : 1;
        isBusy = false;
        for (int i = 0; i < most && !disposed; i++)
        {
            isBusy = i > 0;
            IoVec vector = new() { Base = receiveBuffer, Length = Reactor.ReceiveBufferBytes };
            MessageHeader message = new()
            {
                Name = name,
                NameLength = SocketAddress.MaxLength,
                Vectors = &vector,
                VectorCount = 1,
                Control = controlBuffer,
                ControlLength = 64,
            };
            nint received = Libc.recvmsg(fd, &message, Libc.MsgDontWait);
            if (received < 0)
            {
                if (Marshal.GetLastPInvokeError() == Libc.Interrupted)
                {
                    continue;
                }

                unreadSince = 0;
                isBusy = i > 1;
                return;
            }

            callsIn++;
            if ((message.Flags & Libc.MsgTruncated) != 0)
            {
                dropped++;
                continue;
            }

            int segmentSize = Math.Max(1, (int)received);
            ControlMessage* control = (ControlMessage*)controlBuffer;
            if (message.ControlLength >= 20 && control->Level == Libc.SolUdp && control->Type == Libc.UdpGro
                && control->Int32 > 0)
            {
                segmentSize = Math.Min(segmentSize, control->Int32);
            }

            packetsIn += Segments((int)received, segmentSize);
            bytesIn += received;
            onDatagrams(SocketAddress.Read(name), new Span<byte>(receiveBuffer, (int)received), segmentSize);
        }

        // Where nobody has looked, nothing is known to wait.
        unreadSince = most == 1 ? 0 : unreadSince;
    }
}
