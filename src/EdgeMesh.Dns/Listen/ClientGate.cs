using System.Collections.Frozen;
using System.Net;
using System.Net.NetworkInformation;

namespace EdgeMesh.Dns;

/// <summary>
/// Who may make us ask upstream, and how often. Cluster names are for everyone who reaches the listen address and cost
/// microseconds; a question upstream costs sockets and a metered link.
/// <para>The rate is kept in a table of fixed size: clients whose addresses fall into one place share it, so a forger of
/// addresses gains nothing and costs no memory.</para>
/// </summary>
internal sealed class ClientGate(IReadOnlyList<IPNetwork> networks, int rate)
{
    private const int Places = 1024;

    /// <summary>Loopback, private, shared (RFC 6598), link-local and unique local addresses.</summary>
    public static readonly IReadOnlyList<IPNetwork> PrivateNetworks =
    [
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("::1/128"), IPNetwork.Parse("fc00::/7"),
        IPNetwork.Parse("fe80::/10"),
    ];

    private readonly (DnsAddress Base, int Shift)[] allowed = [.. networks.Select(Cut)];

    // Milliseconds of the clock at which a place's burst will be used up no more (a leaky bucket as one number); guarded by itself.
    private readonly long[] busyUntil = new long[Places];
    private volatile FrozenSet<DnsAddress> own = [];

    /// <summary>A process of this machine may have a public address.</summary>
    public void ReadOwnAddresses()
    {
        try
        {
            own = NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(device => device.GetIPProperties().UnicastAddresses)
                .Select(unicast => DnsAddress.From(unicast.Address))
                .ToFrozenSet();
        }
        catch (NetworkInformationException)
        {
            // An interface went away as it was read: the change is announced and we come again.
        }
    }

    public bool MayRecurse(DnsAddress client)
    {
        foreach ((DnsAddress network, int shift) in allowed)
        {
            if (network.IsIPv6 == client.IsIPv6 && (shift >= 128 || client.Bits >> shift == network.Bits >> shift))
            {
                return true;
            }
        }

        return own.Contains(client);
    }

    /// <summary>True if this client may ask upstream once more now.</summary>
    public bool TryTake(DnsAddress client, long now)
    {
        if (rate == 0)
        {
            return true;
        }

        // In thousandths of a millisecond, so that high rates keep their shape.
        long at = now * 1000;
        long cost = 1_000_000L / rate;
        long burst = cost * rate * 2;
        ref long place = ref busyUntil[(uint)client.GetHashCode() % Places];
        while (true)
        {
            long seen = Volatile.Read(ref place);
            long next = Math.Max(seen, at) + cost;
            if (next - at > burst)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref place, next, seen) == seen)
            {
                return true;
            }
        }
    }

    private static (DnsAddress Base, int Shift) Cut(IPNetwork network)
    {
        DnsAddress address = DnsAddress.From(network.BaseAddress);
        return (address, address.IsIPv6 ? 128 - network.PrefixLength : network.PrefixLength == 0 ? 128 : 32 - network.PrefixLength);
    }
}
