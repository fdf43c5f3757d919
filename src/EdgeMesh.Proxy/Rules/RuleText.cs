using System.Globalization;
using System.Net;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Rules;

/// <summary>Writes nft transactions. Pure; the golden tests read its output.</summary>
internal static class RuleText
{
    public const string TableName = "edgemesh";

    /// <summary>How long the agent takes all connections of a Service port after an endpoint refused one.</summary>
    private const int TroubledSeconds = 10;

    /// <summary>With so many Service ports in trouble at once, the clients of the next one are told of the refusal.</summary>
    private const int MaxTroubled = 8192;

    private static readonly string Mark = string.Create(CultureInfo.InvariantCulture, $"0x{MeshDefaults.AgentSocketMark:x}");

    /// <summary>Replaces the whole table in one transaction: packets see the old rules or the new ones, never none.</summary>
    public static string Full(RuleFrame frame, IReadOnlyCollection<Element> elements)
    {
        StringBuilder text = new(4096 + (elements.Count * 48));
        string table = $"{frame.Family.Table} {TableName}";
        text.Append($"table {table}\ndelete table {table}\n");
        AppendTable(text, frame);
        AppendHostSets(text, frame);
        AppendElements(text, frame, "add", elements);
        return text.ToString();
    }

    /// <summary>Removes first and adds then, so that a changed value of a map is a removal and an addition. Empty if nothing differs.</summary>
    public static string Difference(
        RuleFrame? old, RuleFrame frame, IReadOnlyCollection<Element> removed, IReadOnlyCollection<Element> added)
    {
        StringBuilder text = new();
        AppendElements(text, frame, "delete", removed);
        AppendElements(text, frame, "add", added);
        if (old is not null && !old.SameSets(frame))
        {
            foreach (string set in new[] { "outside", "routed-bridges", "fronts" })
            {
                text.Append($"flush set {frame.Family.Table} {TableName} {set}\n");
            }

            AppendHostSets(text, frame);
        }

        return text.ToString();
    }

    private static void AppendTable(StringBuilder text, RuleFrame frame)
    {
        string ip = frame.Family.Match;
        string address = frame.Family.Address;
        string unreachable = frame.Family.Table == "ip6" ? "icmpv6" : "icmp";
        string mesh = frame.MeshAddress.ToString();
        string meshWithPort = frame.Family.Table == "ip6" ? $"[{mesh}]" : mesh;
        text.Append($$"""
            table {{frame.Family.Table}} {{TableName}} {
              set cluster-ips {
                type {{address}}
              }
              map services {
                type {{address}} . inet_proto . inet_service : verdict
              }
              map endpoints {
                typeof {{ip}} daddr . meta l4proto . th dport . numgen random mod 2 : {{ip}} daddr . th dport
              }
              map udp-agents {
                type {{address}} . inet_service : {{address}} . inet_service
              }
              set self {
                type {{address}} . {{address}} . inet_proto . inet_service
              }
              set off-mesh {
                type {{address}} . {{address}} . inet_proto . inet_service
              }
              set retry {
                type {{address}} . {{address}} . inet_proto . inet_service
              }
              set troubled {
                type {{address}} . inet_service
                size {{MaxTroubled}}
                flags dynamic,timeout
                timeout {{TroubledSeconds}}s
              }
              set whole {
                type {{address}} . inet_proto . inet_service
              }
              set fenced {
                type {{address}} . inet_proto . inet_service
              }
              set allowed {
                type {{address}} . {{address}} . inet_proto . inet_service
                flags interval
              }
              set fronts {
                type {{address}}
              }
              set outside {
                type ifname
              }
              set routed-bridges {
                type ifname . ifname
              }
              chain refuse {
                meta l4proto tcp reject with tcp reset
                reject with {{unreachable}} type port-unreachable
              }
              chain discard {
                drop
              }
              chain agent {
                meta l4proto tcp dnat to {{meshWithPort}}:{{frame.TcpPort}}
                meta l4proto udp dnat to {{ip}} daddr . th dport map @udp-agents
                goto refuse
              }
              chain agent-all {
                meta l4proto tcp dnat to {{meshWithPort}}:{{frame.RetryPort}}
              }
              chain refused {
                meta l4proto tcp ct status & dnat == dnat ct original {{ip}} daddr . {{ip}} saddr . meta l4proto . th sport @retry add @troubled { ct original {{ip}} daddr . ct original proto-dst } drop
              }

            """);
        for (int k = 1; k <= Verdict.MaxExact; k++)
        {
            AppendDraw(text, ip, k);
        }

        AppendDraw(text, ip, Verdict.Coarse);
        AppendDraw(text, ip, Verdict.ByClient);
        text.Append($$"""
              chain fence {
                {{ip}} saddr . {{ip}} daddr . meta l4proto . th dport @allowed return
                drop
              }
              chain services {
                {{ip}} saddr . {{ip}} daddr . meta l4proto . th dport @self goto agent
                meta l4proto tcp {{ip}} daddr . th dport @troubled goto agent-all
                {{ip}} daddr . meta l4proto . th dport vmap @services
                goto refuse
              }
              chain front-outside {
                {{ip}} daddr . meta l4proto . th dport @fenced jump fence
                {{ip}} saddr . {{ip}} daddr . meta l4proto . th dport @self goto agent
                meta l4proto tcp {{ip}} daddr . th dport @troubled goto agent-all
                {{ip}} daddr . meta l4proto . th dport vmap @services
              }
              chain front-inside {
                {{ip}} daddr . meta l4proto . th dport @fenced jump fence
                {{ip}} daddr . meta l4proto . th dport @whole goto agent
                {{ip}} saddr . {{ip}} daddr . meta l4proto . th dport @self goto agent
                meta l4proto tcp {{ip}} daddr . th dport @troubled goto agent-all
                {{ip}} daddr . meta l4proto . th dport vmap @services
              }
              chain answers {
                type filter hook prerouting priority -150; policy accept;
                tcp flags & (rst | ack) == rst | ack tcp sequence 0 goto refused
              }
              chain own-answers {
                type filter hook output priority -150; policy accept;
                tcp flags & (rst | ack) == rst | ack tcp sequence 0 goto refused
              }
              chain prerouting {
                type nat hook prerouting priority -101; policy accept;
                meta mark {{Mark}} return
                {{ip}} daddr @cluster-ips goto services
                {{ip}} daddr @fronts iifname @outside goto front-outside
                {{ip}} daddr @fronts goto front-inside
              }
              chain output {
                type nat hook output priority -101; policy accept;
                meta mark {{Mark}} return
                {{ip}} daddr @cluster-ips goto services
                {{ip}} daddr @fronts goto front-inside
              }
              chain input {
                type filter hook input priority -10; policy accept;
                meta mark {{Mark}} return
                ct direction reply return
                ct original {{ip}} daddr @fronts return
                {{ip}} daddr {{mesh}} iifname @outside drop
              }
              chain postrouting {
                type nat hook postrouting priority 99; policy accept;
                meta mark {{Mark}} return
                ct status & dnat != dnat return
                ct original {{ip}} daddr @cluster-ips goto way-back
                ct original {{ip}} daddr @fronts goto way-back
              }
              chain way-back {
                {{ip}} saddr {{mesh}} oifname != { "lo", "{{frame.Device}}" } masquerade
                iifname . oifname @routed-bridges masquerade
                ct original {{ip}} daddr . {{ip}} daddr . meta l4proto . th dport @off-mesh masquerade
              }
            }

            """);
    }

    private static void AppendDraw(StringBuilder text, string ip, int code)
    {
        string draw = code == Verdict.ByClient
            ? $"jhash {ip} saddr mod {Verdict.Coarse} seed 0x{MeshDefaults.AgentSocketMark:x}"
            : $"numgen random mod {code}";
        text.Append($$"""
              chain {{Verdict.ChainOf(code)}} {
                dnat to {{ip}} daddr . meta l4proto . th dport . {{draw}} map @endpoints
                goto agent
              }

            """);
    }

    private static void AppendHostSets(StringBuilder text, RuleFrame frame)
    {
        if (!frame.Outside.IsEmpty)
        {
            text.Append($"add element {frame.Family.Table} {TableName} outside {{ ");
            text.AppendJoin(", ", frame.Outside.Select(i => $"\"{i}\"")).Append(" }\n");
        }

        if (!frame.RoutedBridges.IsEmpty)
        {
            text.Append($"add element {frame.Family.Table} {TableName} routed-bridges {{ ");
            text.AppendJoin(", ", frame.RoutedBridges.Select(i => $"\"{i}\" . \"{i}\"")).Append(" }\n");
        }

        AppendFronts(text, frame);
    }

    private static void AppendFronts(StringBuilder text, RuleFrame frame)
    {
        if (!frame.Fronts.IsEmpty)
        {
            text.Append($"add element {frame.Family.Table} {TableName} fronts {{ ").AppendJoin(", ", frame.Fronts).Append(" }\n");
        }
    }

    private static void AppendElements(StringBuilder text, RuleFrame frame, string verb, IReadOnlyCollection<Element> elements)
    {
        bool isRemoval = verb == "delete";
        for (RuleSetName set = RuleSetName.ClusterIps; set <= RuleSetName.Allowed; set++)
        {
            bool first = true;
            foreach (Element element in elements)
            {
                if (element.Set != set)
                {
                    continue;
                }

                text.Append(first ? $"{verb} element {frame.Family.Table} {TableName} {NameOf(set)} {{ " : ", ");
                first = false;
                AppendKey(text, element);
                if (!isRemoval)
                {
                    AppendValue(text, frame, element);
                }
            }

            if (!first)
            {
                text.Append(" }\n");
            }
        }
    }

    private static string NameOf(RuleSetName set) => set switch
    {
        RuleSetName.ClusterIps => "cluster-ips",
        RuleSetName.Services => "services",
        RuleSetName.Endpoints => "endpoints",
        RuleSetName.UdpAgents => "udp-agents",
        RuleSetName.Self => "self",
        RuleSetName.OffMesh => "off-mesh",
        RuleSetName.Retry => "retry",
        RuleSetName.Whole => "whole",
        RuleSetName.Fenced => "fenced",
        _ => "allowed",
    };

    private static void AppendKey(StringBuilder text, Element e)
    {
        string protocol = e.Protocol == TransportProtocol.Udp ? "udp" : "tcp";
        switch (e.Set)
        {
            case RuleSetName.ClusterIps:
                text.Append(e.Address);
                break;
            case RuleSetName.Services or RuleSetName.Whole or RuleSetName.Fenced:
                text.Append($"{e.Address} . {protocol} . {e.Port}");
                break;
            case RuleSetName.Endpoints:
                text.Append($"{e.Address} . {protocol} . {e.Port} . {e.Number}");
                break;
            case RuleSetName.UdpAgents:
                text.Append($"{e.Address} . {e.Port}");
                break;
            case RuleSetName.Self or RuleSetName.Allowed:
                text.Append($"{e.Other} . {e.Address} . {protocol} . {e.Port}");
                break;
            case RuleSetName.OffMesh or RuleSetName.Retry:
                IPEndPoint behind = (IPEndPoint)e.Other!;
                text.Append($"{e.Address} . {behind.Address} . {protocol} . {behind.Port}");
                break;
        }
    }

    private static void AppendValue(StringBuilder text, RuleFrame frame, Element e)
    {
        switch (e.Set)
        {
            case RuleSetName.Services:
                text.Append(" : goto ").Append(Verdict.ChainOf(e.Number));
                break;
            case RuleSetName.Endpoints:
                IPEndPoint to = (IPEndPoint)e.Other!;
                text.Append($" : {to.Address} . {to.Port}");
                break;
            case RuleSetName.UdpAgents:
                text.Append($" : {frame.MeshAddress} . {e.Number}");
                break;
        }
    }
}
