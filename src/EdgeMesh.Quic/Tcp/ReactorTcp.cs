using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Quic;

/// <summary>A non-blocking TCP connection on the reactor. In the loop only.</summary>
public sealed class ReactorTcp : IDisposable
{
    /// <summary>What <see cref="Receive"/> and <see cref="Send"/> return when they would block.</summary>
    public const int WouldBlock = -1;

    /// <summary>What they return when the connection was reset or is broken.</summary>
    public const int WasReset = -2;

    /// <summary>Who gets the events; may be changed when the connection changes hands.</summary>
    public ITcpEvents Events { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>Takes the socket over. <see cref="Release"/> gives it back.</summary>
    public static ReactorTcp Adopt(Reactor reactor, Socket socket, ITcpEvents events) => throw new NotImplementedException();

    /// <summary>Begins to connect; the outcome comes as <see cref="ITcpEvents.OnConnected"/> or <see cref="ITcpEvents.OnFailed"/>, never before this returns.</summary>
    /// <param name="mark">SO_MARK, or null.</param>
    public static ReactorTcp Connect(Reactor reactor, IPEndPoint to, int? mark, ITcpEvents events) => throw new NotImplementedException();

    /// <returns>&gt; 0 bytes; 0 = FIN; <see cref="WouldBlock"/>; <see cref="WasReset"/> (nothing more comes).</returns>
    public int Receive(Span<byte> buffer) => throw new NotImplementedException();

    /// <returns>&gt;= 0 bytes accepted; <see cref="WouldBlock"/>; <see cref="WasReset"/>.</returns>
    public int Send(ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>FIN behind what was sent.</summary>
    public void ShutdownSend() => throw new NotImplementedException();

    /// <summary>RST and close.</summary>
    public void Reset() => throw new NotImplementedException();

    /// <summary>Leaves the reactor and gives the socket back, open and blocking as .NET expects it. No event follows.</summary>
    public Socket Release() => throw new NotImplementedException();

    /// <summary>Closes; unread input makes it an RST, as always with TCP.</summary>
    public void Dispose() => throw new NotImplementedException();
}
