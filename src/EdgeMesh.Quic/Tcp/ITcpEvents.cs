using System.Net.Sockets;

namespace EdgeMesh.Quic;

/// <summary>What a <see cref="ReactorTcp"/> tells its owner. Edge-triggered: read or write until it would block.</summary>
public interface ITcpEvents
{
    /// <summary>The connection that <see cref="ReactorTcp.Connect"/> began stands.</summary>
    void OnConnected();

    /// <summary>It was refused or timed out; nothing follows.</summary>
    void OnFailed(SocketError error);

    void OnReadable();

    void OnWritable();
}
