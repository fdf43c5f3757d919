namespace EdgeMesh.Dns;

/// <summary>
/// The server without its sockets: (query, now) → answer, or the question that must go upstream first. Makes no objects,
/// waits for nothing, may run on any number of threads.
/// </summary>
internal sealed class DnsCore(ClusterZones zones, AnswerCache cache, Func<ReadOnlyMemory<byte>, bool>? isLoopProbe = null)
{
    // An alias may lead to an alias; a ring of them ends here.
    private const int MaxAliases = 8;

    // RFC 8767 says 30 s; shorter, because a pod should see the network's return soon.
    private const uint StaleTtl = 5;

    /// <param name="query">What the client sent.</param>
    /// <param name="output">Room for the answer: <see cref="DnsLimits.UdpPayload"/>, over a stream <see cref="DnsLimits.TcpMessage"/> bytes.</param>
    /// <param name="isStream">TCP: no size but the message's own bound.</param>
    /// <param name="now">Milliseconds of the server's clock.</param>
    /// <param name="fetched">The upstream's answer, once an earlier call had asked for it.</param>
    public DnsReply Handle(ReadOnlySpan<byte> query, scoped Span<byte> output, bool isStream, long now, Fetched? fetched = null)
    {
        QueryFault fault = DnsQuery.TryRead(query, stackalloc byte[DnsQuery.ScratchLength], out DnsQuery parsed);
        if (fault == QueryFault.Silence)
        {
            DnsMetrics.CountSilence();
            return new DnsReply(DnsOutcome.Silence, 0);
        }

        int limit = isStream ? DnsLimits.TcpMessage : Math.Min(parsed.HasEdns ? parsed.UdpSize : 512, DnsLimits.UdpPayload);
        DnsWriter writer = new(output, limit, stackalloc ushort[DnsWriter.SuffixRoom], parsed);
        if (fault != QueryFault.None)
        {
            writer.Rcode = fault switch
            {
                QueryFault.Format => DnsRcode.FormatError,
                QueryFault.BadVersion => DnsRcode.BadVersion,
                _ => DnsRcode.NotImplemented,
            };
            return Finish(ref writer, parsed, AnswerSource.None);
        }

        return Resolve(parsed, ref writer, output, now, fetched);
    }

    private DnsReply Resolve(scoped in DnsQuery query, ref DnsWriter writer, scoped Span<byte> output, long now, Fetched? fetched)
    {
        Span<byte> labels = stackalloc byte[WireName.MaxLabels];
        Span<byte> current = stackalloc byte[WireName.MaxLength];
        Span<byte> target = stackalloc byte[WireName.MaxLength];
        scoped NameView name = query.Name;
        for (int aliases = 0; aliases <= MaxAliases; aliases++)
        {
            ZoneResult result = zones.Answer(name, query, ref writer, target, out int targetLength);
            if (result == ZoneResult.NotMine)
            {
                return External(query, name, aliases > 0, ref writer, output, now, fetched);
            }

            writer.Flags |= DnsFlags.Authoritative;
            if (result != ZoneResult.Alias || targetLength == 0)
            {
                return Local(result, query, name, ref writer);
            }

            zones.WriteAlias(name.Wire, target[..targetLength], ref writer);
            if (query.Type is DnsType.Cname or DnsType.Any)
            {
                return Finish(ref writer, query, AnswerSource.Cluster);
            }

            target[..targetLength].CopyTo(current);
            name = NameView.Cut(current[..targetLength], labels);
        }

        return Fail(query, ref writer, DnsRcode.ServerFailure, AnswerSource.Cluster);
    }

    private DnsReply Local(ZoneResult result, scoped in DnsQuery query, scoped NameView name, ref DnsWriter writer)
    {
        switch (result)
        {
            case ZoneResult.Answer:
                break;
            case ZoneResult.NoData:
                zones.WriteAuthority(name, ref writer);
                break;
            case ZoneResult.NameError:
                writer.Rcode = DnsRcode.NameError;
                zones.WriteAuthority(name, ref writer);
                break;
            case ZoneResult.Refused:
                return Fail(query, ref writer, DnsRcode.Refused, AnswerSource.Cluster);
            default:
                return Fail(query, ref writer, DnsRcode.ServerFailure, AnswerSource.Cluster);
        }

        return Finish(ref writer, query, AnswerSource.Cluster);
    }

    private DnsReply External(
        scoped in DnsQuery query, scoped NameView name, bool isBehindAlias, ref DnsWriter writer, scoped Span<byte> output, long now, Fetched? fetched)
    {
        // Whole zones are not for a stub resolver to move.
        if (query.Type is DnsType.Axfr or DnsType.Ixfr)
        {
            return Fail(query, ref writer, DnsRcode.Refused, AnswerSource.None);
        }

        if (query.Type == DnsType.Hinfo && isLoopProbe is not null && isLoopProbe(name.Wire.ToArray()))
        {
            return Fail(query, ref writer, DnsRcode.Refused, AnswerSource.None);
        }

        Span<byte> key = stackalloc byte[QuestionKey.MaxLength];
        int keyLength = QuestionKey.Write(key, name.Wire, query);
        Fetched found;
        if (fetched is { } given)
        {
            found = given;
        }
        else if (cache.TryGetFresh(key[..keyLength], now, out CachedAnswer? cached))
        {
            found = new Fetched(cached, AnswerSource.Cache);
        }
        else
        {
            key[..keyLength].CopyTo(output);
            return new DnsReply(DnsOutcome.Ask, keyLength);
        }

        if (!found.Answer.IsUsable)
        {
            return Fail(query, ref writer, found.Answer.Rcode, found.Source);
        }

        uint age = (uint)Math.Max(0, (now - found.Answer.StoredAt) / 1000);
        uint? ttl = found.Source == AnswerSource.Stale ? StaleTtl : null;
        writer.Rcode = found.Answer.Rcode;
        if (isBehindAlias)
        {
            found.Answer.WriteBehindAlias(ref writer, age, ttl);
        }
        else
        {
            if (found.Answer.IsAuthentic && query.WantsAuthenticData)
            {
                writer.Flags |= DnsFlags.AuthenticData;
            }

            found.Answer.WriteWhole(ref writer, age, ttl);
        }

        return Finish(ref writer, query, found.Source);
    }

    private static DnsReply Fail(scoped in DnsQuery query, ref DnsWriter writer, DnsRcode rcode, AnswerSource source)
    {
        writer.Clear(query.Question.Length);
        writer.Rcode = rcode;
        writer.Flags &= unchecked((ushort)~DnsFlags.Authoritative);
        return Finish(ref writer, query, source);
    }

    private static DnsReply Finish(ref DnsWriter writer, scoped in DnsQuery query, AnswerSource source)
    {
        DnsMetrics.CountQuery(query.Type, writer.Rcode, source);
        return new DnsReply(DnsOutcome.Answer, writer.Finish(), source);
    }
}
