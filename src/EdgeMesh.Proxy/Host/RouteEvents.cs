using System.Net;

namespace EdgeMesh.Proxy.Host;

/// <summary>What a read of rtnetlink(7) notifications says: whether the host changed, and which of our routes or rules went. Pure.</summary>
/// <remarks>Message: length (4), type (2), flags (2), sequence (4), port (4). A route: family (1), destination length (1), source length (1),
/// TOS (1), table (1), protocol (1), scope (1), type (1), flags (4), attributes: length (2), type (2), value, padded to 4.</remarks>
/// <param name="IsHostChanged">Something other than our own routing table changed.</param>
/// <param name="IsRuleDeleted">A policy rule is gone, perhaps ours.</param>
internal readonly record struct RouteEvents(bool IsHostChanged, bool IsRuleDeleted)
{
    private const int HeaderLength = 16;
    private const int RouteLength = 12;
    private const ushort NewRoute = 24;
    private const ushort DeletedRoute = 25;
    private const ushort DeletedRule = 33;
    private const int DestinationAttribute = 1;
    private const int TableAttribute = 15;

    /// <param name="messages">One read of the netlink socket.</param>
    /// <param name="table">Number of our routing table.</param>
    /// <param name="deleted">Is called with each IPv4 route that our table lost.</param>
    public static RouteEvents Read(ReadOnlySpan<byte> messages, uint table, Action<IPNetwork> deleted)
    {
        bool isHostChanged = false;
        bool isRuleDeleted = false;
        while (messages.Length >= HeaderLength)
        {
            int length = BitConverter.ToInt32(messages);
            if (length < HeaderLength || length > messages.Length)
            {
                break;
            }

            ushort type = BitConverter.ToUInt16(messages[4..]);
            isRuleDeleted |= type == DeletedRule;
            ReadOnlySpan<byte> body = messages[HeaderLength..length];
            if (type is NewRoute or DeletedRoute && body.Length >= RouteLength
                && TableOf(body, out ReadOnlySpan<byte> destination) == table)
            {
                if (type == DeletedRoute && destination.Length == 4 && body[1] <= 32)
                {
                    deleted(new IPNetwork(new IPAddress(destination), body[1]));
                }
            }
            else
            {
                isHostChanged = true;
            }

            int next = (length + 3) & ~3;
            messages = next >= messages.Length ? default : messages[next..];
        }

        return new RouteEvents(isHostChanged, isRuleDeleted);
    }

    private static uint TableOf(ReadOnlySpan<byte> route, out ReadOnlySpan<byte> destination)
    {
        // A number above 255 does not fit into the header.
        uint table = route[4];
        destination = default;
        ReadOnlySpan<byte> attributes = route[RouteLength..];
        while (attributes.Length >= 4)
        {
            int length = BitConverter.ToUInt16(attributes);
            if (length < 4 || length > attributes.Length)
            {
                break;
            }

            ReadOnlySpan<byte> value = attributes[4..length];
            switch (BitConverter.ToUInt16(attributes[2..]))
            {
                case DestinationAttribute:
                    destination = value;
                    break;
                case TableAttribute when value.Length == 4:
                    table = BitConverter.ToUInt32(value);
                    break;
            }

            int next = (length + 3) & ~3;
            attributes = next >= attributes.Length ? default : attributes[next..];
        }

        return table;
    }
}
