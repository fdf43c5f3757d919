namespace EdgeMesh.Quic;

/// <summary>Deadlines in a binary heap. The timers know their place in it, so moving one is O(log n) and allocates nothing.</summary>
internal sealed class TimerHeap
{
    private ReactorTimer[] heap = new ReactorTimer[16];
    private int count;

    /// <summary>The earliest deadline; <see cref="long.MaxValue"/> when none is set.</summary>
    public long Next => count == 0 ? long.MaxValue : heap[0].Deadline;

    public int Count => count;

    public void Set(ReactorTimer timer, long deadline)
    {
        long former = timer.Deadline;
        if (deadline == former)
        {
            return;
        }

        timer.Deadline = deadline;
        if (deadline == long.MaxValue)
        {
            Remove(timer);
        }
        else if (timer.HeapIndex < 0)
        {
            if (count == heap.Length)
            {
                Array.Resize(ref heap, count * 2);
            }

            Place(timer, count++);
            Up(timer.HeapIndex);
        }
        else if (deadline < former)
        {
            Up(timer.HeapIndex);
        }
        else
        {
            Down(timer.HeapIndex);
        }
    }

    /// <summary>Takes the earliest timer off if it is due; its deadline is off then.</summary>
    public ReactorTimer? TakeDue(long now)
    {
        if (count == 0 || heap[0].Deadline > now)
        {
            return null;
        }

        ReactorTimer timer = heap[0];
        timer.Deadline = long.MaxValue;
        Remove(timer);
        return timer;
    }

    private void Remove(ReactorTimer timer)
    {
        int index = timer.HeapIndex;
        timer.HeapIndex = -1;
        ReactorTimer last = heap[--count];
        heap[count] = null!;
        if (!ReferenceEquals(last, timer))
        {
            Place(last, index);
            Up(index);
            Down(last.HeapIndex);
        }
    }

    private void Up(int index)
    {
        ReactorTimer timer = heap[index];
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (heap[parent].Deadline <= timer.Deadline)
            {
                break;
            }

            Place(heap[parent], index);
            index = parent;
        }

        Place(timer, index);
    }

    private void Down(int index)
    {
        ReactorTimer timer = heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= count)
            {
                break;
            }

            if (child + 1 < count && heap[child + 1].Deadline < heap[child].Deadline)
            {
                child++;
            }

            if (heap[child].Deadline >= timer.Deadline)
            {
                break;
            }

            Place(heap[child], index);
            index = child;
        }

        Place(timer, index);
    }

    private void Place(ReactorTimer timer, int index)
    {
        heap[index] = timer;
        timer.HeapIndex = index;
    }
}
