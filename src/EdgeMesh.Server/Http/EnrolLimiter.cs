using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Server.Http;

/// <summary>
/// How often one address may try to enrol: a burst, then one a second. An enrolment costs a signature and two fsyncs; tokens
/// cannot be guessed at any rate. IPv6 counts by /64, which is one customer.
/// </summary>
internal sealed class EnrolLimiter(TimeProvider time)
{
    public const int Burst = 30;
    private const int MaxAddresses = 4096;
    private static readonly TimeSpan Refill = TimeSpan.FromSeconds(1);

    // Guards fullAt: when each address's bucket will be full again; a bucket that is full needs no entry.
    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, DateTimeOffset> fullAt = [];

    public bool TryTake(IPAddress address)
    {
        IPAddress key = KeyOf(address);
        DateTimeOffset now = time.GetUtcNow();
        lock (gate)
        {
            if (fullAt.Count >= MaxAddresses)
            {
                foreach (KeyValuePair<IPAddress, DateTimeOffset> entry in fullAt.Where(entry => entry.Value <= now).ToList())
                {
                    fullAt.Remove(entry.Key);
                }
            }

            DateTimeOffset next = (fullAt.TryGetValue(key, out DateTimeOffset full) && full > now ? full : now) + Refill;
            if (next - now > Refill * Burst || (fullAt.Count >= MaxAddresses && !fullAt.ContainsKey(key)))
            {
                return false;
            }

            fullAt[key] = next;
            return true;
        }
    }

    private static IPAddress KeyOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
