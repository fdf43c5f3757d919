using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// Keeps the WebSocket to one server up: resolves its name again for every attempt, tries all ways to it, hands the session and
/// what comes on it to the loop.
/// </summary>
internal sealed class RelayClient(
    RelayLink link,
    ServerAddress server,
    NodeIdentity identity,
    int? mark,
    HttpProxy? proxy,
    Reactor reactor,
    Func<ReadOnlySpan<byte>, Shard> shardOf,
    Action<RelayLink, SignalMessage> onServers,
    Action<RelayLink, byte[]> onRevoked,
    Action onRoom,
    ILogger log)
{
    // Messages posted to the loop and not yet taken: when the loop is behind, TCP closes its window.
    private const int MaxPosted = 8;

    private readonly Backoff backoff = new(Random.Shared);
    private ServerWay? lastGood;
    private string lastFault = "";

    /// <summary>Runs until it is told to stop; whatever the network does, it tries again.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long began = Environment.TickCount64;
            bool replaced = false;
            try
            {
                replaced = await AttemptAsync(stop).ConfigureAwait(false);
            }
            catch (Exception fault) when (!stop.IsCancellationRequested)
            {
                Report(fault.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            TimeSpan pause = backoff.After(TimeSpan.FromMilliseconds(Environment.TickCount64 - began), replaced);
            await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // One round over all ways. True if another agent of the same name took the place.
    private async Task<bool> AttemptAsync(CancellationToken stop)
    {
        List<string> tried = [];
        List<ServerWay> ways = await WaysAsync(tried, stop).ConfigureAwait(false);
        while (await AddressRace.RunAsync(ways, mark, tried, stop).ConfigureAwait(false) is var (way, connected))
        {
            ways.Remove(way);
            using ServerRoute route = new(way, connected, identity.Trust, identity.ClientContext, mark);
            using ClientWebSocket socket = new();
            try
            {
                await ConnectAsync(socket, route, stop).ConfigureAwait(false);
            }
            catch (Exception fault) when (!stop.IsCancellationRequested)
            {
                tried.Add($"{way} ({route.CertificateFault ?? Innermost(fault)})");
                continue;
            }

            return await ServeAsync(socket, way, connected, stop).ConfigureAwait(false);
        }

        Report(string.Join("; ", tried));
        return false;
    }

    private async Task<List<ServerWay>> WaysAsync(List<string> tried, CancellationToken stop)
    {
        IPAddress[] hosts = [];
        try
        {
            hosts = await server.ResolveAsync(stop).ConfigureAwait(false);
        }
        catch (SocketException fault)
        {
            tried.Add($"{server} ({fault.Message})");
        }

        // What worked last goes first; but of those through the proxy only, as the direct ones may have come back.
        List<ServerWay> all = ServerWay.All(server, hosts, proxy);
        if (lastGood is not null && (all.Remove(lastGood) || (hosts.Length == 0 && lastGood.Proxy is null)))
        {
            all.Insert(lastGood.Proxy is null ? 0 : all.TakeWhile(way => way.Proxy is null).Count(), lastGood);
        }

        return all;
    }

    private static async Task ConnectAsync(ClientWebSocket socket, ServerRoute route, CancellationToken stop)
    {
        socket.Options.AddSubProtocol(SignalMessage.Subprotocol);
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        using HttpMessageInvoker invoker = new(route.Handler, disposeHandler: false);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience.Connect);
        try
        {
            await socket.ConnectAsync(new Uri($"wss://{route.Host}/v1/connect"), invoker, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {Patience.Connect.TotalSeconds} s");
        }
    }

    private async Task<bool> ServeAsync(ClientWebSocket socket, ServerWay way, Socket connected, CancellationToken stop)
    {
        using OutboundQueue outbound = new(onRoom);
        using Heartbeat heartbeat = new(connected);
        IPAddress? local = (connected.LocalEndPoint as IPEndPoint)?.Address;
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        (RelaySession session, SignalMessage welcome) = await WelcomeAsync(socket, way, local, outbound, heartbeat, ending.Token).ConfigureAwait(false);
        lastGood = way;
        lastFault = "";
        reactor.Post(static s => s.Link.OnConnected(s.Session), (Link: link, Session: session));
        onServers(link, welcome);
        using RelayTraffic traffic = new(socket, session, outbound, MaxPosted, reactor, link, shardOf, onServers, onRevoked);
        string why = await traffic.RunAsync(() => TunnelLog.ServerConnected(log, link.Name, way.ToString(), session.RoundTrip / 1e6), text =>
            TunnelLog.ServerSays(log, link.Name, text), ending).ConfigureAwait(false);
        outbound.Close();
        reactor.Post(static s => s.Link.OnLost(s.Session, s.Why), (Link: link, Session: session, Why: why));
        bool replaced = (int?)socket.CloseStatus == SignalMessage.CloseReplaced;
        if (replaced)
        {
            TunnelLog.ServerReplaced(log, link.Name);
        }
        else if (!stop.IsCancellationRequested)
        {
            TunnelLog.ServerLost(log, link.Name, why);
        }

        return replaced;
    }

    private static async Task<(RelaySession Session, SignalMessage Welcome)> WelcomeAsync(
        ClientWebSocket socket, ServerWay way, IPAddress? local, OutboundQueue outbound, Heartbeat heartbeat, CancellationToken stop)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience.Welcome);
        try
        {
            int length = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await socket.ReceiveAsync(buffer.AsMemory(length), limit.Token).ConfigureAwait(false);
                length += result.Count;
            }
            while (!result.EndOfMessage && length < buffer.Length);

            SignalMessage? welcome = result.MessageType == WebSocketMessageType.Text
                ? JsonSerializer.Deserialize(buffer.AsSpan(0, length), WireJson.Default.SignalMessage)
                : null;
            byte[] key = new byte[32];
            if (welcome is not { Type: SignalMessage.Welcome }
                || !ulong.TryParse(welcome.Session, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong id)
                || !Convert.TryFromBase64String(welcome.Key ?? "", key, out int keyLength) || keyLength != key.Length)
            {
                throw new InvalidDataException("the server's first message is no welcome");
            }

            IReadOnlyList<UdpServer> udp = await ResolveUdpAsync(welcome.Udp ?? [], way.Address, limit.Token).ConfigureAwait(false);
            return (new RelaySession(id, key, udp, welcome.BootId ?? "", way, local, outbound, heartbeat), welcome);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new TimeoutException($"no welcome within {Patience.Welcome.TotalSeconds} s");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Pairs of host:port, the second of each for STUN only. The address this WebSocket reached comes first: it is known to be reachable.
    private static async Task<IReadOnlyList<UdpServer>> ResolveUdpAsync(string[] texts, IPAddress? reached, CancellationToken stop)
    {
        List<UdpServer> servers = [];
        for (int i = 0; i < texts.Length && servers.Count < 8; i += 2)
        {
            ServerAddress relay = ServerAddress.Parse(texts[i]);
            ushort? second = i + 1 < texts.Length ? ServerAddress.Parse(texts[i + 1]).Ports[0] : null;
            foreach (IPAddress host in await TryResolveAsync(relay, stop).ConfigureAwait(false))
            {
                servers.Add(Make(host, relay.Ports[0], second));
            }

            if (i == 0 && reached is not null)
            {
                servers.Insert(0, Make(reached, relay.Ports[0], second));
            }
        }

        return [.. servers.Distinct()];
    }

    private static UdpServer Make(IPAddress host, ushort relay, ushort? second)
    {
        WireAddress address = WireAddress.From(host, relay);
        return new UdpServer(address, second is { } port ? address.WithPort(port) : default);
    }

    private static async Task<IPAddress[]> TryResolveAsync(ServerAddress host, CancellationToken stop)
    {
        try
        {
            return await host.ResolveAsync(stop).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return [];
        }
    }

    // The same fault again is no news.
    private void Report(string why)
    {
        if (why != lastFault)
        {
            lastFault = why;
            TunnelLog.ServerUnreachable(log, link.Name, why);
        }

        reactor.Post(static s => s.Link.OnAttemptFailed(s.Why), (Link: link, Why: why));
    }

    private static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
        {
            fault = inner;
        }

        return fault.Message;
    }
}
