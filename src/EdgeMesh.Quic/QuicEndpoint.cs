using Microsoft.Extensions.Logging;

namespace EdgeMesh.Quic;

/// <summary>All connections of a node on one reactor. In the loop only, the constructor and <see cref="Dispose"/> too once it runs.</summary>
public sealed class QuicEndpoint : IDisposable
{
    /// <param name="accept">Called for a peer's first packet: the handler of the new connection, or null to refuse.</param>
    public QuicEndpoint(
        Reactor reactor,
        QuicEndpointOptions options,
        QuicCredentials credentials,
        Func<QuicConnection, IQuicHandler?> accept,
        ILogger log) => throw new NotImplementedException();

    public int ConnectionCount => throw new NotImplementedException();

    /// <summary>For connections from now on. The former ones must live as long as their connections: disposing them early is allowed, it waits.</summary>
    public void UseCredentials(QuicCredentials renewed) => throw new NotImplementedException();

    /// <summary>Begins a handshake; the outcome comes through <paramref name="handler"/>.</summary>
    public QuicConnection Connect(IQuicOutput output, IQuicHandler handler) => throw new NotImplementedException();

    /// <summary>Feeds datagrams, each <paramref name="segmentSize"/> long but the last.</summary>
    /// <param name="replyTo">Where they came from: the output of a connection accepted by this call, and of stateless resets.</param>
    /// <returns>The connection the first of them belongs to, or null.</returns>
    public QuicConnection? Receive(Span<byte> train, int segmentSize, IQuicOutput replyTo) => throw new NotImplementedException();

    /// <summary>Closes all connections at once, with one CONNECTION_CLOSE each.</summary>
    public void Dispose() => throw new NotImplementedException();
}
