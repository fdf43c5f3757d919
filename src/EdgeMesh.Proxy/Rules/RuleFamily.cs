using System.Net.Sockets;

namespace EdgeMesh.Proxy.Rules;

/// <summary>The words that differ between the two tables.</summary>
internal sealed record RuleFamily(AddressFamily Family, string Table, string Address, string Match)
{
    public static readonly RuleFamily V4 = new(AddressFamily.InterNetwork, "ip", "ipv4_addr", "ip");
}
