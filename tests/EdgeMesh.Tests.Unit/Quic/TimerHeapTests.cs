using CsCheck;
using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class TimerHeapTests
{
    [Fact]
    public void FiresInOrderWhateverIsSetMovedAndCancelled() =>
        Gen.Select(Gen.Int[0, 19], Gen.Long[0, 50], Gen.Bool).Array[0, 200].Sample(operations =>
        {
            TimerHeap heap = new();
            ReactorTimer[] timers = [.. Enumerable.Range(0, 20).Select(_ => new ReactorTimer(heap, () => { }))];
            foreach ((int index, long deadline, bool cancel) in operations)
            {
                if (cancel)
                {
                    timers[index].Cancel();
                }
                else
                {
                    timers[index].Set(deadline);
                }

                Assert.Equal(timers.Min(t => t.Deadline), heap.Next);
            }

            long[] expected = [.. timers.Select(t => t.Deadline).Where(d => d <= 40).Order()];
            List<long> fired = [];
            while (true)
            {
                long next = heap.Next;
                if (heap.TakeDue(40) is not { } timer)
                {
                    break;
                }

                Assert.Equal(long.MaxValue, timer.Deadline);
                fired.Add(next);
            }

            Assert.Equal(expected, fired);
        });
}
