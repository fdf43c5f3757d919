using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>
/// A TCP connection on the reactor. In the loop only. It has a descriptor and no more: a socket that was dialled here has no object
/// of .NET's, and what a short connection does not need is not asked of the kernel.
/// </summary>
public sealed unsafe class ReactorTcp : ILoopSource, IDisposable
{
    /// <summary>What <see cref="Receive"/> and <see cref="Send"/> return when they would block.</summary>
    public const int WouldBlock = -1;

    /// <summary>What they return when the connection was reset or is broken.</summary>
    public const int WasReset = -2;

    private const int Interest = Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;

    private readonly Reactor reactor;
    private readonly Socket? adopted;
    private readonly int fd;
    private int slot = -1;
    private bool connecting;
    private bool closed;
    private bool hasSent;
    private bool isNoDelay;

    private ReactorTcp(Reactor reactor, Socket? adopted, int fd, ITcpEvents events)
    {
        this.reactor = reactor;
        this.adopted = adopted;
        this.fd = fd;
        Events = events;
    }

    /// <summary>Who gets the events; may be changed when the connection changes hands (the new owner tries both directions once).</summary>
    public ITcpEvents Events { get; set; }

    /// <summary>The peer's RST or another error was seen; what was received before may still be read.</summary>
    public bool IsBroken { get; private set; }

    public Reactor Reactor => reactor;

    /// <summary>The file's number.</summary>
    public int Descriptor => fd;

    /// <summary>
    /// False when the last <see cref="Receive"/> has emptied the socket: more input comes with <see cref="ITcpEvents.OnReadable"/>, so
    /// that nobody need ask before.
    /// </summary>
    public bool MayReceive { get; private set; }

    // A FIN or an error was signalled: a short read does not mean that the socket is empty.
    private bool HasHangup { get; set; }

    /// <summary>
    /// Takes the socket over, blocking or not: no call here waits. <see cref="Release"/> gives it back.
    /// </summary>
    public static ReactorTcp Adopt(Reactor reactor, Socket socket, ITcpEvents events)
    {
        ReactorTcp tcp = new(reactor, socket, (int)socket.Handle, events) { MayReceive = true };
        tcp.slot = reactor.Add(tcp, tcp.fd, Interest);
        return tcp;
    }

    /// <summary>
    /// Begins to connect; the outcome comes as <see cref="ITcpEvents.OnConnected"/> or <see cref="ITcpEvents.OnFailed"/>, never
    /// before this returns.
    /// </summary>
    /// <param name="mark">SO_MARK, or null.</param>
    /// <exception cref="SocketException">No file is left for a socket.</exception>
    public static ReactorTcp Connect(Reactor reactor, IPEndPoint to, int? mark, ITcpEvents events)
    {
        UdpAddress remote = UdpAddress.From(to);
        int fd = Libc.socket(remote.Family == AddressFamily.InterNetworkV6 ? Libc.AfInet6 : Libc.AfInet, Libc.StreamSocket, 0);
        if (fd < 0)
        {
            throw new SocketException((int)ToSocketError(Marshal.GetLastPInvokeError()));
        }

        ReactorTcp tcp = new(reactor, null, fd, events) { connecting = true };
        int error = 0;
        if (mark is int value && !Libc.SetOption(tcp.fd, Libc.SolSocket, Libc.SoMark, value))
        {
            error = Marshal.GetLastPInvokeError();
        }

        if (error == 0)
        {
            byte* address = stackalloc byte[SocketAddress.MaxLength];
            uint length = SocketAddress.Write(address, remote);
            error = Libc.connect(tcp.fd, address, length) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }

        if (error is 0 or Libc.InProgress)
        {
            tcp.slot = reactor.Add(tcp, tcp.fd, Interest);
        }
        else
        {
            reactor.NextTurn(() => tcp.Fail(error));
        }

        return tcp;
    }

    /// <summary>
    /// Whether the connection that <see cref="Connect"/> began stands already, as it mostly does towards a process of this machine:
    /// the kernel has its answer before the call returns. Then <see cref="ITcpEvents.OnConnected"/> does not follow.
    /// </summary>
    public bool HasConnected()
    {
        // tcpi_state, the first byte of struct tcp_info: TCP_ESTABLISHED, or TCP_CLOSE_WAIT where the FIN is here too.
        byte state = 0;
        uint length = 1;
        if (connecting && !closed && Libc.getsockopt(fd, Libc.SolTcp, Libc.TcpInfo, &state, &length) == 0 && state is 1 or 8)
        {
            connecting = false;
            return true;
        }

        return false;
    }

    /// <returns>&gt; 0 bytes; 0 = FIN; <see cref="WouldBlock"/>; <see cref="WasReset"/> (nothing more comes).</returns>
    public int Receive(Span<byte> buffer)
    {
        if (closed)
        {
            return WasReset;
        }

        fixed (byte* data = buffer)
        {
            while (true)
            {
                nint count = Libc.recv(fd, data, (nuint)buffer.Length, Libc.MsgDontWait);
                if (count >= 0)
                {
                    MayReceive = count == 0 || count == buffer.Length || HasHangup;
                    return (int)count;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.Interrupted:
                        continue;
                    case Libc.Again:
                        MayReceive = false;
                        return WouldBlock;
                    default:
                        IsBroken = true;
                        return WasReset;
                }
            }
        }
    }

    /// <returns>&gt;= 0 bytes accepted; <see cref="WouldBlock"/>; <see cref="WasReset"/>.</returns>
    public int Send(ReadOnlySpan<byte> data)
    {
        if (closed)
        {
            return WasReset;
        }

        if (hasSent)
        {
            NoDelay();
        }

        hasSent = true;
        fixed (byte* pointer = data)
        {
            while (true)
            {
                nint count = Libc.send(fd, pointer, (nuint)data.Length, Libc.MsgDontWait | Libc.MsgNoSignal);
                if (count >= 0)
                {
                    return (int)count;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.Interrupted:
                        continue;
                    case Libc.Again:
                        return WouldBlock;
                    default:
                        IsBroken = true;
                        return WasReset;
                }
            }
        }
    }

    /// <summary>FIN behind what was sent.</summary>
    public void ShutdownSend()
    {
        if (!closed)
        {
            _ = Libc.shutdown(fd, 1);
        }
    }

    /// <summary>RST and close.</summary>
    public void Reset()
    {
        if (!closed)
        {
            // struct linger: on, 0 s.
            int* linger = stackalloc int[2] { 1, 0 };
            _ = Libc.setsockopt(fd, Libc.SolSocket, Libc.SoLinger, linger, 2 * sizeof(int));
            Dispose();
        }
    }

    /// <summary>
    /// SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT (tcp(7)): a peer that vanished without a word is noticed after four
    /// minutes. For a connection that lives long enough to need it; an accepted one has it from its listener.
    /// </summary>
    public void KeepAlive()
    {
        if (!closed)
        {
            Libc.SetOption(fd, Libc.SolSocket, Libc.SoKeepAlive, 1);
            Libc.SetOption(fd, Libc.SolTcp, Libc.TcpKeepIdle, 120);
            Libc.SetOption(fd, Libc.SolTcp, Libc.TcpKeepInterval, 30);
            Libc.SetOption(fd, Libc.SolTcp, Libc.TcpKeepCount, 4);
        }
    }

    /// <summary>Leaves the reactor and gives the adopted socket back, open and as it was. No event follows.</summary>
    public Socket Release()
    {
        ObjectDisposedException.ThrowIf(closed, this);
        Socket socket = adopted ?? throw new InvalidOperationException("it was dialled here");
        closed = true;
        reactor.Remove(slot, fd);
        slot = -1;
        return socket;
    }

    /// <summary>Closes; unread input makes it an RST, as always with TCP.</summary>
    public void Dispose()
    {
        if (closed)
        {
            return;
        }

        closed = true;
        if (slot >= 0)
        {
            reactor.Forget(slot);
            slot = -1;
        }

        if (adopted is null)
        {
            _ = Libc.close(fd);
        }
        else
        {
            adopted.Dispose();
        }
    }

    void ILoopSource.OnEvents(int events)
    {
        if (connecting)
        {
            if ((events & (Libc.EpollErr | Libc.EpollHup)) != 0)
            {
                Fail(PendingError());
                return;
            }

            if ((events & Libc.EpollOut) == 0)
            {
                return;
            }

            connecting = false;
            Events.OnConnected();
        }

        HasHangup |= (events & (Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0;
        IsBroken |= (events & Libc.EpollErr) != 0;
        if (!closed && (events & (Libc.EpollIn | Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0)
        {
            MayReceive = true;
            Events.OnReadable();
        }

        if (!closed && (events & Libc.EpollOut) != 0)
        {
            Events.OnWritable();
        }
    }

    // Nagle's algorithm holds a small segment back while another small one is on its way: never the first.
    private void NoDelay()
    {
        if (!isNoDelay)
        {
            isNoDelay = true;
            Libc.SetOption(fd, Libc.SolTcp, Libc.TcpNoDelay, 1);
        }
    }

    private void Fail(int error)
    {
        if (!closed)
        {
            ITcpEvents events = Events;
            Dispose();
            events.OnFailed(ToSocketError(error));
        }
    }

    private static SocketError ToSocketError(int error) => error switch
    {
        111 => SocketError.ConnectionRefused,
        110 => SocketError.TimedOut,
        113 => SocketError.HostUnreachable,
        101 => SocketError.NetworkUnreachable,
        104 => SocketError.ConnectionReset,
        1 or 13 => SocketError.AccessDenied,
        99 => SocketError.AddressNotAvailable,
        Libc.TooManyFiles or Libc.TooManyFilesInSystem => SocketError.TooManyOpenSockets,
        Libc.NoBuffers or 12 => SocketError.NoBufferSpaceAvailable,
        _ => SocketError.SocketError,
    };

    private int PendingError()
    {
        int error = 0;
        uint length = sizeof(int);
        _ = Libc.getsockopt(fd, Libc.SolSocket, Libc.SoError, &error, &length);
        return error;
    }
}
