using System.Net;

namespace EdgeMesh.Dns;

/// <summary>
/// Sends one query to one server and returns the message that answers it (id and question checked). Throws
/// <see cref="System.Net.Sockets.SocketException"/> or <see cref="IOException"/> when the server is known not to answer.
/// </summary>
internal delegate ValueTask<byte[]> UpstreamExchange(IPEndPoint server, byte[] query, bool isStream, CancellationToken stop);
