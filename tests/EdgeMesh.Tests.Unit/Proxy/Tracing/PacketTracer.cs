using System.Globalization;
using System.Net;

namespace EdgeMesh.Tests.Unit.Proxy.Tracing;

/// <summary>The first packet of a connection, as the node gets it.</summary>
/// <param name="From">The client's address.</param>
/// <param name="To">Where it wants to go.</param>
/// <param name="In">The interface it comes by; empty for a process of the node.</param>
/// <param name="Protocol">tcp or udp.</param>
/// <param name="Mark">Its mark.</param>
internal sealed record TracedPacket(IPAddress From, IPEndPoint To, string In, string Protocol, uint Mark = 0)
{
    public override string ToString() => $"{Protocol} {From} {(In.Length > 0 ? In : "host")} → {To}";
}

/// <summary>Where a packet ends, and by which chains and verdicts (<c>services goto n3</c>) it came there.</summary>
internal sealed record PacketTrace(string End, IReadOnlyList<string> Steps)
{
    public override string ToString() => $"{End}: {string.Join(", ", Steps)}";
}

/// <summary>
/// Reads the table as nft would and walks a packet through it: prerouting or output, then input or postrouting. Knows the
/// expressions our rules use and throws on any other. Where chance or a hash decides, it walks all ways.
/// </summary>
/// <param name="text">What <c>nft -f</c> gets.</param>
/// <param name="ownAddresses">The node's own addresses.</param>
/// <param name="interfaceTo">Where the node sends what is for others.</param>
internal sealed class PacketTracer(string text, IPAddress[] ownAddresses, Func<IPAddress, string> interfaceTo)
{
    private readonly IPAddress[] ownAddresses = ownAddresses;
    private readonly Func<IPAddress, string> interfaceTo = interfaceTo;
    private readonly Dictionary<string, List<string>> chains = [];
    private readonly Dictionary<string, List<(string[] Key, string Value)>> sets = [];

    public PacketTracer Read()
    {
        string chain = "";
        foreach (string line in text.Split('\n').Select(l => l.Trim()))
        {
            string[] words = line.Split(' ');
            if (words is ["chain", _, "{"])
            {
                chains[chain = words[1]] = [];
            }
            else if (words is ["set" or "map", _, "{"])
            {
                (chain, sets[words[1]]) = ("", []);
            }
            else if (words is ["add", "element", _, _, ..])
            {
                string list = line[(line.IndexOf('{') + 1)..line.LastIndexOf('}')];
                sets[words[4]].AddRange(list.Split(',').Select(e => e.Split(" : ")).Select(e => (Fields(e[0]), e.Length > 1 ? e[1].Trim() : "")));
            }
            else if (chain.Length > 0 && line.Length > 0 && line != "}" && words[0] != "type")
            {
                chains[chain].Add(line);
            }
        }

        return this;

        static string[] Fields(string key) => [.. key.Split(" . ").Select(f => f.Trim().Trim('"'))];
    }

    /// <summary>All ends the packet can have, one for each draw.</summary>
    public List<PacketTrace> Trace(TracedPacket packet)
    {
        List<PacketTrace> found = [];
        int draws = 1;
        for (int draw = 0; draw < draws; draw++)
        {
            Walk walk = new(this, packet, draw);
            found.Add(walk.Run());
            draws = Math.Max(draws, walk.Draws);
        }

        return [.. found.DistinctBy(t => t.ToString())];
    }

    private sealed class Walk(PacketTracer table, TracedPacket packet, int draw)
    {
        private readonly List<string> steps = [];
        private IPEndPoint to = packet.To;
        private string outside = "";
        private bool isTranslated;
        private bool isMasqueraded;
        private string? refused;

        public int Draws { get; private set; } = 1;

        public PacketTrace Run()
        {
            Enter(packet.In.Length > 0 ? "prerouting" : "output");
            bool isOwn = table.ownAddresses.Contains(to.Address);
            if (refused is null)
            {
                outside = isOwn ? packet.In.Length > 0 ? "" : "lo" : table.interfaceTo(to.Address);
                if (outside.Length > 0)
                {
                    Enter("postrouting");
                }

                if (isOwn && refused is null)
                {
                    Enter("input");
                }
            }

            string end = refused
                ?? (isTranslated ? $"dnat {to}{(isMasqueraded ? " masquerade" : "")}" : isOwn ? "the node itself" : "routed as it is");
            return new PacketTrace(end, steps);
        }

        /// <returns>True if the packet's way through this hook is decided.</returns>
        private bool Enter(string chain)
        {
            foreach (string rule in table.chains[chain])
            {
                Queue<string> words = new(rule.Split(' '));
                string? verdict = null;
                while (words.Count > 0 && verdict is null && Matches(words, ref verdict))
                {
                }

                if (verdict is null)
                {
                    continue;
                }

                steps.Add($"{chain} {verdict}");
                string[] parts = verdict.Split(' ');
                if (parts[0] == "return")
                {
                    return false;
                }

                if (parts[0] == "jump")
                {
                    if (Enter(parts[1]))
                    {
                        return true;
                    }

                    continue;
                }

                return parts[0] != "goto" || Enter(parts[1]);
            }

            return false;
        }

        /// <summary>Takes one match or statement from the rule.</summary>
        private bool Matches(Queue<string> words, ref string? verdict)
        {
            switch (words.Peek())
            {
                case "return" or "goto" or "jump":
                    verdict = string.Join(' ', words);
                    return true;
                case "drop":
                    (refused, verdict) = ("drop", "drop");
                    return true;
                case "reject":
                    refused = string.Join(' ', words) == "reject with tcp reset" ? "tcp reset" : "port unreachable";
                    verdict = "drop";
                    return true;
                case "masquerade":
                    (isMasqueraded, verdict) = (true, "accept");
                    return true;
                case "dnat":
                    return Translate([.. words.Skip(2)], ref verdict);
            }

            string[] values = Selectors(words);
            string relation = words.Dequeue();
            switch (relation)
            {
                case "vmap":
                    verdict = Lookup(words.Dequeue()[1..], values);
                    return verdict is not null;
                case "!=":
                    string rest = string.Join(' ', words);
                    string set = rest[(rest.IndexOf('{') + 1)..rest.IndexOf('}')];
                    for (string taken = ""; taken != "}"; taken = words.Dequeue())
                    {
                    }

                    return !set.Split(',').Select(e => e.Trim().Trim('"')).Contains(values.Single());
                case "&":
                    // ct status & dnat != dnat
                    Assert.Equal(["dnat", "!=", "dnat"], [words.Dequeue(), words.Dequeue(), words.Dequeue()]);
                    return values.Single() != "dnat";
                default:
                    return relation[0] == '@' ? Lookup(relation[1..], values) is not null : relation == values.Single();
            }
        }

        private bool Translate(string[] target, ref string? verdict)
        {
            if (target is [_])
            {
                to = IPEndPoint.Parse(target[0]);
            }
            else
            {
                Queue<string> words = new(target);
                string[] values = Selectors(words);
                Assert.Equal("map", words.Dequeue());
                if (Lookup(words.Dequeue()[1..], values)?.Split(" . ") is not [string address, string port])
                {
                    return false;
                }

                to = new IPEndPoint(IPAddress.Parse(address), int.Parse(port, CultureInfo.InvariantCulture));
            }

            (isTranslated, verdict) = (true, "accept");
            return true;
        }

        private string? Lookup(string set, string[] values)
        {
            foreach ((string[] key, string value) in table.sets[set])
            {
                if (key.Length == values.Length && key.Zip(values).All(p => p.First.Contains('/', StringComparison.Ordinal)
                    ? IPNetwork.Parse(p.First).Contains(IPAddress.Parse(p.Second)) : p.First == p.Second))
                {
                    return value;
                }
            }

            return null;
        }

        /// <summary>Reads <c>ip daddr . th dport . numgen random mod 3</c> and says what each is for this packet.</summary>
        private string[] Selectors(Queue<string> words)
        {
            List<string> values = [];
            do
            {
                if (values.Count > 0)
                {
                    words.Dequeue();
                }

                string word = words.Dequeue();
                values.Add(word switch
                {
                    "iifname" => packet.In.Length > 0 ? packet.In : "lo",
                    "oifname" => outside,
                    "numgen" or "jhash" => Drawn(words),
                    _ => Field($"{word} {words.Dequeue()}", words),
                });
            }
            while (words.Count > 0 && words.Peek() == ".");
            return [.. values];
        }

        private string Field(string name, Queue<string> words) => name switch
        {
            "ip saddr" => packet.From.ToString(),
            "ip daddr" => to.Address.ToString(),
            "th dport" => to.Port.ToString(CultureInfo.InvariantCulture),
            "meta l4proto" => packet.Protocol,
            "meta mark" => $"0x{packet.Mark:x}",
            "ct direction" => "original",
            "ct status" => isTranslated ? "dnat" : "",
            "ct original" when words.Dequeue() == "ip" && words.Dequeue() == "daddr" => packet.To.Address.ToString(),
            _ => throw new NotSupportedException($"expression {name} {string.Join(' ', words)}"),
        };

        private string Drawn(Queue<string> words)
        {
            while (words.Dequeue() != "mod")
            {
            }

            int of = int.Parse(words.Dequeue(), CultureInfo.InvariantCulture);
            if (words.Peek() == "seed")
            {
                words.Dequeue();
                words.Dequeue();
            }

            Draws = of;
            return (draw % of).ToString(CultureInfo.InvariantCulture);
        }
    }
}
