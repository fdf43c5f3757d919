using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>Says step by step how a question is answered. The answers are the engine's own, as for a client on this machine.</summary>
internal sealed class DnsTracer(ClusterZones zones, UpstreamRoutes routes, AnswerCache cache, DnsEngine engine, DnsClock clock)
{
    private const int MaxAliases = 8;

    private static readonly DnsAddress Self = DnsAddress.From(IPAddress.Loopback);

    /// <exception cref="MeshException">That is no name.</exception>
    public async Task<IReadOnlyList<DnsStep>> TraceAsync(string name, ushort type)
    {
        byte[] buffer = new byte[WireName.MaxLength];
        if (!WireName.TryFromText(name.ToLowerInvariant(), buffer, out int length))
        {
            throw new MeshException(MeshExit.Usage, $"'{name}' is no DNS name: labels are at most 63 characters, the whole at most 253");
        }

        byte[] wire = buffer[..length];
        List<DnsStep> steps = [];
        for (int aliases = 0; aliases <= MaxAliases; aliases++)
        {
            if (OwnerOf(wire) is not string owner)
            {
                await AskUpstreamAsync(wire, type, steps).ConfigureAwait(false);
                return steps;
            }

            byte[] answer = Ask(wire, type);
            byte[]? target = AliasIn(answer);
            steps.Add(new DnsStep("cluster", $"{WireName.ToText(wire)} is in {owner}: {Outcome(answer)}{(target is null ? "" : $", an alias of {WireName.ToText(target)}")}"));
            if (target is null || type is DnsType.Cname or DnsType.Any)
            {
                return steps;
            }

            wire = target;
        }

        return steps;
    }

    private string? OwnerOf(byte[] wire) => zones.OwnerOf(NameView.Cut(wire, stackalloc byte[WireName.MaxLabels]));

    private byte[] Ask(byte[] wire, ushort type)
    {
        byte[] output = new byte[DnsLimits.TcpMessage];
        DnsReply reply = engine.Handle(QueryFor(wire, type), output, isStream: true, Self);
        return output[..(reply.Outcome == DnsOutcome.Answer ? reply.Length : 0)];
    }

    private async Task AskUpstreamAsync(byte[] wire, ushort type, List<DnsStep> steps)
    {
        byte[] query = QueryFor(wire, type);
        byte[] output = new byte[DnsLimits.TcpMessage];
        DnsReply reply = engine.Handle(query, output, isStream: true, Self);
        byte[] key = new byte[QuestionKey.MaxLength];
        key = key[..QuestionKey.Write(key, wire, type, DnsType.ClassIn)];
        steps.Add(new DnsStep("none", $"{WireName.ToText(wire)} is no cluster name; {Servers(routes.For(key).Current)}"));
        if (reply.Outcome == DnsOutcome.Answer)
        {
            steps.Add(new DnsStep("cache", $"kept in the cache{Age(key)}: {Outcome(output.AsSpan(0, reply.Length))}"));
            return;
        }

        byte[] asked = output[..reply.Length];
        long began = Stopwatch.GetTimestamp();
        Fetched fetched = await engine.FetchAsync(asked).ConfigureAwait(false);
        reply = engine.Finish(query, fetched, output, isStream: true, began);
        string took = string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.0} ms");
        string outcome = Outcome(output.AsSpan(0, reply.Length));
        steps.Add(reply.Source switch
        {
            AnswerSource.Stale => new DnsStep("stale", $"no upstream answered within {took}, so the old answer is served{Age(asked)}: {outcome}"),
            _ when outcome == "SERVFAIL" => new DnsStep("upstream", $"no upstream gave an answer within {took}: SERVFAIL"),
            _ => new DnsStep("upstream", $"{(cache.TryGetStale(asked, clock.Now, out CachedAnswer? found) ? found.Server?.ToString() : null) ?? "an upstream"} answered in {took}: {outcome}"),
        });
    }

    private string Age(byte[] key)
    {
        if (!cache.TryGetStale(key, clock.Now, out CachedAnswer? found))
        {
            return "";
        }

        long age = (clock.Now - found.StoredAt) / 1000;
        long left = (found.FreshUntil - clock.Now) / 1000;
        string from = found.Server is null ? "" : $" from {found.Server}";
        return string.Create(CultureInfo.InvariantCulture, $"{from}, {age} s old, {(left >= 0 ? $"{left} s left" : $"{-left} s past its time")}");
    }

    private static string Servers(IReadOnlyCollection<Upstream> servers) => servers.Count == 0
        ? "there is no upstream server"
        : "its servers: " + string.Join(", ", servers.Select(s => s.IsLoop ? $"{s.Server} (leads back here)"
            : s.Failures > 0 ? string.Create(CultureInfo.InvariantCulture, $"{s.Server} ({s.Failures} failures in a row)")
            : s.Latency is int ms ? string.Create(CultureInfo.InvariantCulture, $"{s.Server} ({ms} ms)") : $"{s.Server} (not asked yet)"));

    private static string Outcome(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < DnsQuery.HeaderLength)
        {
            return "no answer";
        }

        int count = BinaryPrimitives.ReadUInt16BigEndian(answer[6..]);
        return (answer[3] & 0xf) switch
        {
            0 when count == 0 => "the name exists, without a record of this type",
            0 => count == 1 ? "1 record" : string.Create(CultureInfo.InvariantCulture, $"{count} records"),
            (int)DnsRcode.NameError => "NXDOMAIN",
            (int)DnsRcode.ServerFailure => "SERVFAIL",
            (int)DnsRcode.Refused => "REFUSED",
            int other => string.Create(CultureInfo.InvariantCulture, $"rcode {other}"),
        };
    }

    /// <summary>Where the first record is an alias: its target.</summary>
    private static byte[]? AliasIn(ReadOnlySpan<byte> answer)
    {
        int position = DnsQuery.HeaderLength;
        if (answer.Length < position || BinaryPrimitives.ReadUInt16BigEndian(answer[6..]) == 0 || !WireName.TrySkip(answer, ref position))
        {
            return null;
        }

        position += 4;
        byte[] target = new byte[WireName.MaxLength];
        if (!DnsRecord.TryRead(answer, ref position, out DnsRecord record) || record.Type != DnsType.Cname)
        {
            return null;
        }

        int data = record.Data;
        return WireName.TryRead(answer, ref data, target, out int length) ? target[..length] : null;
    }

    private static byte[] QueryFor(byte[] wire, ushort type)
    {
        byte[] query = new byte[DnsQuery.HeaderLength + wire.Length + 4];
        (query[2], query[5]) = (1, 1);
        wire.CopyTo(query, DnsQuery.HeaderLength);
        BinaryPrimitives.WriteUInt16BigEndian(query.AsSpan(DnsQuery.HeaderLength + wire.Length), type);
        query[^1] = 1;
        return query;
    }
}
