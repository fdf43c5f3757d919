using System.Net.Sockets;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>Tells on the loop when a socket of somebody else's can be read; see <see cref="Reactor.Watch"/>.</summary>
internal sealed class WatchedSocket(Reactor reactor, Socket socket, Action readable) : ILoopSource, IDisposable
{
    private int slot = -1;
    private bool isClosed;

    public void Register()
    {
        if (!isClosed)
        {
            slot = reactor.Add(this, (int)socket.Handle, Libc.EpollIn);
        }
    }

    /// <summary>Closes the socket, in the loop, so that no event of it comes later. Any thread.</summary>
    public void Dispose()
    {
        if (reactor.IsInLoop || !reactor.IsRunning)
        {
            Close();
        }
        else
        {
            reactor.Post(static watch => watch.Close(), this);
        }
    }

    void ILoopSource.OnEvents(int events) => readable();

    private void Close()
    {
        if (isClosed)
        {
            return;
        }

        isClosed = true;
        if (slot >= 0 && reactor.IsRunning)
        {
            reactor.Remove(slot, (int)socket.Handle);
        }

        socket.Dispose();
    }
}
