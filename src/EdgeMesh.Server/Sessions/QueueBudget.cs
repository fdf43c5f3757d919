namespace EdgeMesh.Server.Sessions;

/// <summary>
/// The bytes that wait for all WebSockets together. One queue may hold at most an eighth of what is still free: when many receivers are
/// slow their queues shrink alike, and one that has been empty always finds room (dynamic thresholds, Choudhury and Hahne
/// 1998). Any thread.
/// </summary>
internal sealed class QueueBudget(long total)
{
    private const int Part = 8;

    private long used;

    public long Used => Interlocked.Read(ref used);

    public long Free => total - Used;

    /// <summary>What a queue of this capacity may hold now.</summary>
    public int LimitOf(int capacity) => (int)Math.Clamp(Free / Part, 0, capacity);

    public void Take(int bytes) => Interlocked.Add(ref used, bytes);

    public void Return(int bytes) => Interlocked.Add(ref used, -bytes);
}
