using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>A non-blocking TCP connection on the reactor. In the loop only.</summary>
public sealed unsafe class ReactorTcp : ILoopSource, IDisposable
{
    /// <summary>What <see cref="Receive"/> and <see cref="Send"/> return when they would block.</summary>
    public const int WouldBlock = -1;

    /// <summary>What they return when the connection was reset or is broken.</summary>
    public const int WasReset = -2;

    private const int Interest = Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;

    private readonly Reactor reactor;
    private readonly Socket socket;
    private readonly int fd;
    private int slot = -1;
    private bool connecting;
    private bool closed;

    private ReactorTcp(Reactor reactor, Socket socket, ITcpEvents events)
    {
        this.reactor = reactor;
        this.socket = socket;
        Events = events;
        socket.Blocking = false;
        fd = (int)socket.Handle;
    }

    /// <summary>Who gets the events; may be changed when the connection changes hands (the new owner tries both directions once).</summary>
    public ITcpEvents Events { get; set; }

    /// <summary>The peer's RST or another error was seen; what was received before may still be read.</summary>
    public bool IsBroken { get; private set; }

    public Reactor Reactor => reactor;

    /// <summary>The file's number.</summary>
    public int Descriptor => fd;

    /// <summary>A FIN or an error was signalled: a short read does not mean that the socket is empty.</summary>
    internal bool HasHangup { get; private set; }

    /// <summary>Takes the socket over. <see cref="Release"/> gives it back.</summary>
    public static ReactorTcp Adopt(Reactor reactor, Socket socket, ITcpEvents events)
    {
        ReactorTcp tcp = new(reactor, socket, events);
        tcp.NoDelay();
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
        ReactorTcp tcp = new(reactor, new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp), events) { connecting = true };
        int error = 0;
        if (mark is int value && !Libc.SetOption(tcp.fd, Libc.SolSocket, Libc.SoMark, value))
        {
            error = Marshal.GetLastPInvokeError();
        }

        if (error == 0)
        {
            tcp.NoDelay();
            tcp.KeepAlive();
            byte* address = stackalloc byte[SocketAddress.MaxLength];
            uint length = SocketAddress.Write(address, UdpAddress.From(to));
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

    /// <returns>&gt;= 0 bytes accepted; <see cref="WouldBlock"/>; <see cref="WasReset"/>.</returns>
    public int Send(ReadOnlySpan<byte> data)
    {
        if (closed)
        {
            return WasReset;
        }

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
            socket.LingerState = new LingerOption(true, 0);
            Dispose();
        }
    }

    /// <summary>Leaves the reactor and gives the socket back, open and blocking as .NET expects it. No event follows.</summary>
    public Socket Release()
    {
        ObjectDisposedException.ThrowIf(closed, this);
        Leave();
        socket.Blocking = true;
        return socket;
    }

    /// <summary>Closes; unread input makes it an RST, as always with TCP.</summary>
    public void Dispose()
    {
        if (!closed)
        {
            Leave();
            socket.Dispose();
        }
    }

    void ILoopSource.OnEvents(int events)
    {
        if (connecting)
        {
            int error = PendingError();
            if (error != 0 || (events & (Libc.EpollErr | Libc.EpollHup)) != 0)
            {
                Fail(error);
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
            Events.OnReadable();
        }

        if (!closed && (events & Libc.EpollOut) != 0)
        {
            Events.OnWritable();
        }
    }

    private void NoDelay() => Libc.SetOption(fd, 6, 1, 1);

    // SO_KEEPALIVE; TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT (tcp(7)): an endpoint that vanished without a word is noticed after four
    // minutes. Nobody else notices: the client's own probes end at its agent.
    private void KeepAlive()
    {
        Libc.SetOption(fd, Libc.SolSocket, 9, 1);
        Libc.SetOption(fd, 6, 4, 120);
        Libc.SetOption(fd, 6, 5, 30);
        Libc.SetOption(fd, 6, 6, 4);
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
        _ => SocketError.SocketError,
    };

    private int PendingError()
    {
        int error = 0;
        uint length = sizeof(int);
        _ = Libc.getsockopt(fd, Libc.SolSocket, Libc.SoError, &error, &length);
        return error;
    }

    private void Leave()
    {
        closed = true;
        if (slot >= 0)
        {
            reactor.Remove(slot, fd);
            slot = -1;
        }
    }
}
