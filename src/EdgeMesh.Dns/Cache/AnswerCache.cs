using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace EdgeMesh.Dns;

/// <summary>
/// Upstream answers within a bound of bytes. Readers take no lock and make no objects. What is pushed out is what was not
/// asked for since the hand last passed (second chance).
/// </summary>
internal sealed class AnswerCache
{
    private readonly ConcurrentDictionary<byte[], CachedAnswer> answers = new(1, 31, QuestionKeyComparer.Instance);
    private readonly ConcurrentDictionary<byte[], CachedAnswer>.AlternateLookup<ReadOnlySpan<byte>> lookup;
    private readonly long capacity;
    private readonly long staleFor;

    // Guards the order of eviction and the count of bytes.
    private readonly Lock gate = new();
    private readonly Queue<(byte[] Key, CachedAnswer Answer)> order = new();
    private long bytes;

    /// <param name="capacity">Bytes; 0 keeps nothing.</param>
    /// <param name="staleFor">How long past its lifetime an answer may still be served when upstream is silent.</param>
    public AnswerCache(long capacity, TimeSpan staleFor)
    {
        this.capacity = capacity;
        this.staleFor = (long)staleFor.TotalMilliseconds;
        lookup = answers.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public long Bytes => Volatile.Read(ref bytes);

    public int Count => answers.Count;

    public bool TryGetFresh(ReadOnlySpan<byte> key, long now, [NotNullWhen(true)] out CachedAnswer? answer)
    {
        if (!lookup.TryGetValue(key, out answer) || now >= answer.FreshUntil)
        {
            answer = null;
            return false;
        }

        answer.MarkUsed();
        return true;
    }

    /// <summary>The answer even if its lifetime is over, as long as RFC 8767 lets it be served.</summary>
    public bool TryGetStale(ReadOnlySpan<byte> key, long now, [NotNullWhen(true)] out CachedAnswer? answer)
    {
        if (!lookup.TryGetValue(key, out answer) || now >= answer.FreshUntil + staleFor)
        {
            answer = null;
            return false;
        }

        answer.MarkUsed();
        return true;
    }

    public void Put(byte[] key, CachedAnswer answer)
    {
        if (!answer.IsUsable || answer.Lifetime <= TimeSpan.Zero || answer.Size + key.Length > capacity)
        {
            return;
        }

        lock (gate)
        {
            long before = bytes;
            if (answers.TryGetValue(key, out CachedAnswer? old))
            {
                // The old one's place in the queue is skipped when the hand comes to it.
                bytes -= old.Size + key.Length;
            }

            // A newcomer has its second chance too, or a cache full of used answers would never take one.
            answer.MarkUsed();
            answers[key] = answer;
            order.Enqueue((key, answer));
            bytes += answer.Size + key.Length;
            Shrink(answer.StoredAt);
            DnsMetrics.CacheBytes.Add(bytes - before);
        }
    }

    private void Shrink(long now)
    {
        // A replaced answer stays in the queue until it is passed; more of those than live ones are swept too.
        while (order.Count > 0 && (bytes > capacity || order.Count > (2 * answers.Count) + 64))
        {
            (byte[] key, CachedAnswer answer) = order.Dequeue();
            if (!answers.TryGetValue(key, out CachedAnswer? current) || !ReferenceEquals(current, answer))
            {
                continue;
            }

            if (bytes <= capacity || (answer.TakeUsed() && now < answer.FreshUntil + staleFor))
            {
                order.Enqueue((key, answer));
                continue;
            }

            answers.TryRemove(key, out _);
            bytes -= answer.Size + key.Length;
        }
    }
}
