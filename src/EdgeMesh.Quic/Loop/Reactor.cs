using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeMesh.Quic.Native;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Quic;

/// <summary>
/// One thread that waits on epoll: sockets, timers and an inbox. Everything that lives on it is touched by this thread only,
/// so nothing in this room takes a lock.
/// <para>A turn: wait, sockets, inbox, timers, work left over from the turn before, then the end-of-turn actions (where
/// connections write what the whole turn produced, so that one train carries it).</para>
/// </summary>
public sealed class Reactor : IQuicDriver, IAsyncDisposable
{
    private const int MaxEvents = 64;
    private const int WakeSlot = 0;

    /// <summary>Of <see cref="ReceiveBuffer"/>: the largest train that one system call gives.</summary>
    internal const int ReceiveBufferBytes = 65_536;

    private readonly ILogger log;
    private readonly Thread thread;
    private readonly TimerHeap timers = new();
    private readonly ConcurrentQueue<object> inbox = new();
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int epoll;
    private readonly int wakeFd;
    private readonly int eventSize;
    private readonly int eventDataOffset;

    // Slot 0 is the eventfd. A slot's use is told from the ones before by its generation, which stands in the event: one may still be
    // pending, or come late from a closed descriptor of which a process that is just being started has a copy.
    private Slot[] slots = new Slot[64];
    private readonly Stack<int> freeSlots = new();
    private int usedSlots = 1;

    private List<Action> endOfTurn = [];
    private List<Action> endOfTurnRunning = [];
    private List<Action> nextTurn = [];
    private List<Action> nextTurnRunning = [];
    private int wakePending;
    private int started;
    private int stopping;
    private bool preciseWait = true;
    private unsafe byte* receiveBuffer;

    public Reactor(string threadName, ILogger log)
    {
        this.log = log;
        thread = new Thread(Run) { Name = threadName, IsBackground = true };
        epoll = Libc.epoll_create1(Libc.EpollCloseOnExec);
        wakeFd = Libc.eventfd(0, Libc.EventFdFlags);
        if (epoll < 0 || wakeFd < 0)
        {
            throw new InvalidOperationException($"epoll or eventfd: errno {Marshal.GetLastPInvokeError()}");
        }

        // struct epoll_event is packed on x86-64 only.
        bool packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        eventSize = packed ? 12 : 16;
        eventDataOffset = packed ? 4 : 8;
        Control(Libc.EpollAdd, wakeFd, Libc.EpollIn, WakeSlot);
        Now = Clock();
    }

    /// <summary>The time of this turn, ns of <see cref="Clock"/>.</summary>
    public long Now { get; private set; }

    /// <summary>Whether the caller is on the loop's thread. Any thread.</summary>
    public bool IsInLoop => Thread.CurrentThread == thread;

    /// <summary>Started and not told to stop. Any thread.</summary>
    internal bool IsRunning => Volatile.Read(ref started) != 0 && Volatile.Read(ref stopping) == 0;

    /// <summary>CLOCK_MONOTONIC in ns. Any thread.</summary>
    public static long Clock() => Stopwatch.GetTimestamp();

    public void Start()
    {
        if (Interlocked.Exchange(ref started, 1) == 0)
        {
            thread.Start();
        }
    }

    /// <summary>Runs <paramref name="action"/> on the loop, in order of posting. Any thread. What it throws is logged.</summary>
    public void Post(Action action) => Enqueue(action);

    /// <inheritdoc cref="Post(Action)"/>
    public void Post<T>(Action<T> action, T state) => Enqueue(new PostedWork<T>(action, state));

    /// <summary>Runs it now if the caller is on the loop's thread, else posts it. Any thread.</summary>
    public void Run<T>(Action<T> action, T state)
    {
        if (IsInLoop)
        {
            action(state);
        }
        else
        {
            Post(action, state);
        }
    }

    /// <summary>
    /// Calls <paramref name="readable"/> on the loop for as long as the socket can be read. It must not block.
    /// Any thread.
    /// </summary>
    /// <returns>Owns the socket from now on: its <c>Dispose</c>, from any thread, closes it.</returns>
    public IDisposable Watch(Socket socket, Action readable)
    {
        WatchedSocket watch = new(this, socket, readable);
        Post(static w => w.Register(), watch);
        return watch;
    }

    /// <summary>A timer that is off. Its callback runs on the loop. Any thread may create it.</summary>
    public ReactorTimer CreateTimer(Action callback) => new(timers, callback);

    /// <summary>Runs <paramref name="action"/> once, after all events of this turn. In the loop only.</summary>
    public void AtEndOfTurn(Action action) => endOfTurn.Add(action);

    /// <summary>Runs <paramref name="action"/> in the next turn, which begins without waiting. In the loop only.</summary>
    public void NextTurn(Action action) => nextTurn.Add(action);

    /// <summary>Stops the thread. What was posted before still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref stopping, 1) == 0)
        {
            if (Interlocked.Exchange(ref started, 1) == 0)
            {
                stopped.TrySetResult();
            }
            else
            {
                Wake();
            }

            await stopped.Task.ConfigureAwait(false);
            _ = Libc.close(epoll);
            _ = Libc.close(wakeFd);
        }
        else
        {
            await stopped.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Where a source reads from its socket; what is there is gone when its <see cref="ILoopSource.OnEvents"/> returns. In the loop only.</summary>
    internal unsafe byte* ReceiveBuffer => receiveBuffer is null ? receiveBuffer = (byte*)NativeMemory.Alloc(ReceiveBufferBytes) : receiveBuffer;

    /// <summary>Puts a descriptor on the loop. In the loop only.</summary>
    /// <returns>The slot, for <see cref="Modify"/>, <see cref="Remove"/> and <see cref="Forget"/>.</returns>
    internal int Add(ILoopSource source, int fd, int events)
    {
        if (!freeSlots.TryPop(out int slot))
        {
            slot = usedSlots++;
            if (slot == slots.Length)
            {
                Array.Resize(ref slots, slot * 2);
            }
        }

        slots[slot].Source = source;
        Control(Libc.EpollAdd, fd, events, slot);
        return slot;
    }

    internal void Modify(int slot, int fd, int events) => Control(Libc.EpollModify, fd, events, slot);

    /// <summary>Takes a descriptor that stays open off the loop.</summary>
    internal void Remove(int slot, int fd)
    {
        Control(Libc.EpollDelete, fd, 0, slot);
        Forget(slot);
    }

    /// <summary>For an edge-triggered source whose descriptor is closed next: that takes it off epoll without a call of its own.</summary>
    internal void Forget(int slot)
    {
        slots[slot].Source = null;
        slots[slot].Generation++;
        freeSlots.Push(slot);
    }

    private unsafe void Control(int operation, int fd, int events, int slot)
    {
        byte* change = stackalloc byte[16];
        *(int*)change = events;
        *(long*)(change + eventDataOffset) = ((long)slots[slot].Generation << 32) | (uint)slot;
        if (Libc.epoll_ctl(epoll, operation, fd, change) != 0)
        {
            throw new InvalidOperationException($"epoll_ctl {operation}: errno {Marshal.GetLastPInvokeError()}");
        }
    }

    private void Enqueue(object work)
    {
        inbox.Enqueue(work);
        if (Interlocked.Exchange(ref wakePending, 1) == 0 && !IsInLoop)
        {
            Wake();
        }
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        _ = Libc.write(wakeFd, &one, sizeof(ulong));
    }

    private unsafe void Run()
    {
        byte* events = (byte*)NativeMemory.Alloc(MaxEvents, 16);
        try
        {
            while (Volatile.Read(ref stopping) == 0 || !inbox.IsEmpty)
            {
                Turn(events);
            }
        }
        finally
        {
            NativeMemory.Free(events);
            NativeMemory.Free(receiveBuffer);
            receiveBuffer = null;
            stopped.TrySetResult();
        }
    }

    private unsafe void Turn(byte* events)
    {
        int count = Wait(events);
        Now = Clock();
        for (int i = 0; i < count; i++)
        {
            byte* entry = events + (i * eventSize);
            long data = *(long*)(entry + eventDataOffset);
            int slot = (int)data;
            if (slot == WakeSlot)
            {
                ulong value;
                _ = Libc.read(wakeFd, &value, sizeof(ulong));
                continue;
            }

            if (slots[slot] is { Source: { } source } use && use.Generation == (int)(data >> 32))
            {
                try
                {
                    source.OnEvents(*(int*)entry);
                }
                catch (Exception e)
                {
                    QuicLog.LoopActionFailed(log, e);
                }
            }
        }

        DrainInbox();
        while (timers.TakeDue(Now) is { } timer)
        {
            Guard(timer.Fire);
        }

        if (nextTurn.Count > 0)
        {
            (nextTurn, nextTurnRunning) = (nextTurnRunning, nextTurn);
            RunAll(nextTurnRunning);
        }

        while (endOfTurn.Count > 0)
        {
            (endOfTurn, endOfTurnRunning) = (endOfTurnRunning, endOfTurn);
            RunAll(endOfTurnRunning);
        }
    }

    private void DrainInbox()
    {
        Volatile.Write(ref wakePending, 0);
        Interlocked.MemoryBarrier();
        for (int left = inbox.Count; left > 0 && inbox.TryDequeue(out object? work); left--)
        {
            try
            {
                if (work is Action action)
                {
                    action();
                }
                else
                {
                    ((IPostedWork)work).Run();
                }
            }
            catch (Exception e)
            {
                QuicLog.LoopActionFailed(log, e);
            }
        }
    }

    private void RunAll(List<Action> actions)
    {
        for (int i = 0; i < actions.Count; i++)
        {
            Guard(actions[i]);
        }

        actions.Clear();
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            QuicLog.LoopActionFailed(log, e);
        }
    }

    private unsafe int Wait(byte* events)
    {
        long timeout = -1;
        if (nextTurn.Count > 0 || endOfTurn.Count > 0 || !inbox.IsEmpty || Volatile.Read(ref stopping) != 0)
        {
            timeout = 0;
        }
        else if (timers.Next != long.MaxValue)
        {
            timeout = Math.Max(0, timers.Next - Clock());
        }

        int count;
        if (timeout > 0 && preciseWait)
        {
            TimeSpec spec = new() { Seconds = timeout / 1_000_000_000, Nanoseconds = timeout % 1_000_000_000 };
            count = Libc.epoll_pwait2(epoll, events, MaxEvents, &spec, null);
            if (count < 0 && Marshal.GetLastPInvokeError() == Libc.NotImplemented)
            {
                // Linux before 5.11: milliseconds will do, rounded up.
                preciseWait = false;
                return 0;
            }
        }
        else
        {
            long milliseconds = timeout <= 0 ? timeout : Math.Min(int.MaxValue, (timeout + 999_999) / 1_000_000);
            count = Libc.epoll_wait(epoll, events, MaxEvents, (int)milliseconds);
        }

        return Math.Max(count, 0);
    }

    private struct Slot
    {
        public ILoopSource? Source;
        public int Generation;
    }

    private interface IPostedWork
    {
        void Run();
    }

    private sealed class PostedWork<T>(Action<T> action, T state) : IPostedWork
    {
        public void Run() => action(state);
    }
}
