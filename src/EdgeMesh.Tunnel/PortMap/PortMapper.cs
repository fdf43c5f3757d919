using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>
/// Asks the router of the default route for a port that leads to ours: PCP, else NAT-PMP, else UPnP. Renews it at half its life
/// and whenever our addresses change or a server had to be connected anew; gives it back at the end.
/// </summary>
internal sealed class PortMapper(ushort port, int? mark, Action<PortMapping?> onChange, ILogger log) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    // PCP: the same for renewals, or the gateway takes us for somebody else.
    private readonly byte[] nonce = RandomNumberGenerator.GetBytes(12);
    private readonly SemaphoreSlim changed = new(0, 1);

    /// <summary>The mapping that holds now. Any thread.</summary>
    public PortMapping? Current { get; private set; }

    /// <summary>What was mapped may not hold any more: ask again now. Any thread.</summary>
    public void Renew()
    {
        try
        {
            changed.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // Asked for already, or over.
        }
    }

    public void Dispose() => changed.Dispose();

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                Gateway? gateway = Gateway.Find();
                Use(gateway is null ? null : await MapAsync(gateway, stop).ConfigureAwait(false));
                TimeSpan half = Current is { Lifetime.Ticks: > 0 } held ? held.Lifetime / 2 : LongestPause;
                TimeSpan pause = Current is null ? RetryPause : half < LongestPause ? half : LongestPause;
                await changed.WaitAsync(pause, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await GiveBackAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Asks once, by whatever the gateway speaks.</summary>
    internal async Task<PortMapping?> MapAsync(Gateway gateway, CancellationToken stop)
    {
        try
        {
            return await PcpAsync(gateway, Lifetime, stop).ConfigureAwait(false)
                ?? await NatPmpAsync(gateway, Lifetime, stop).ConfigureAwait(false)
                ?? await new Upnp(gateway, mark).MapAsync(port, Lifetime, stop).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is SocketException or HttpRequestException or TimeoutException
            || (fault is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return null;
        }
    }

    private void Use(PortMapping? mapping)
    {
        if (mapping?.External.Equals(Current?.External) ?? Current is null)
        {
            Current = mapping;
            return;
        }

        if (mapping is not null)
        {
            TunnelLog.PortMapped(log, port, mapping.External.ToString(), mapping.Protocol);
        }
        else
        {
            TunnelLog.PortUnmapped(log, port);
        }

        Current = mapping;
        onChange(mapping);
    }

    private async Task<PortMapping?> PcpAsync(Gateway gateway, TimeSpan lifetime, CancellationToken stop)
    {
        byte[] question = new byte[Pcp.Length];
        Pcp.WriteMap(question, nonce, gateway.Own, port, Current is null ? port : (ushort)Current.External.Port, lifetime);
        byte[] answer = new byte[1100];
        using Socket socket = Open(gateway);
        int length = await UdpQuestion.AskAsync(socket, new IPEndPoint(gateway.Address, Pcp.Port), mark, question, answer,
            (datagram, _) => Pcp.TryRead(datagram, nonce, port, out byte _, out PortMapping? _) || datagram is [0, ..], stop).ConfigureAwait(false);
        return length > 0 && Pcp.TryRead(answer.AsSpan(0, length), nonce, port, out _, out PortMapping? mapping) ? mapping : null;
    }

    private async Task<PortMapping?> NatPmpAsync(Gateway gateway, TimeSpan lifetime, CancellationToken stop)
    {
        IPEndPoint to = new(gateway.Address, Pcp.Port);
        byte[] answer = new byte[1100];
        using Socket socket = Open(gateway);
        int length = await UdpQuestion.AskAsync(
            socket, to, mark, NatPmp.AddressRequest.ToArray(), answer, (datagram, _) => NatPmp.TryReadAddress(datagram, out IPAddress _), stop).ConfigureAwait(false);
        if (!NatPmp.TryReadAddress(answer.AsSpan(0, length), out IPAddress address))
        {
            return null;
        }

        byte[] question = new byte[NatPmp.MapLength];

        // RFC 6886 section 3.4: who gives a mapping back names no outside port.
        NatPmp.WriteMap(question, port, lifetime == TimeSpan.Zero ? (ushort)0 : port, lifetime);
        length = await UdpQuestion.AskAsync(
            socket, to, mark, question, answer, (datagram, _) => NatPmp.TryReadMap(datagram, port, out ushort _, out TimeSpan _), stop).ConfigureAwait(false);
        return NatPmp.TryReadMap(answer.AsSpan(0, length), port, out ushort external, out TimeSpan given)
            ? new PortMapping("NAT-PMP", new IPEndPoint(address, external), given)
            : null;
    }

    // Best effort: what is not given back runs out.
    private async Task GiveBackAsync()
    {
        if (Current is not { } held || Gateway.Find() is not { } gateway)
        {
            return;
        }

        using CancellationTokenSource limit = new(StopPatience);
        try
        {
            switch (held.Protocol)
            {
                case "PCP":
                    await PcpAsync(gateway, TimeSpan.Zero, limit.Token).ConfigureAwait(false);
                    break;
                case "NAT-PMP":
                    await NatPmpAsync(gateway, TimeSpan.Zero, limit.Token).ConfigureAwait(false);
                    break;
                default:
                    await new Upnp(gateway, mark).UnmapAsync((ushort)held.External.Port, limit.Token).ConfigureAwait(false);
                    break;
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or HttpRequestException or TimeoutException)
        {
        }
    }

    private static Socket Open(Gateway gateway)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(gateway.Own, 0));
        return socket;
    }
}
