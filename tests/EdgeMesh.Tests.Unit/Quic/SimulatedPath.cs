using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>One direction of a network between two endpoints, with its faults. Deterministic by seed.</summary>
internal sealed class SimulatedPath(VirtualDriver driver, Random random) : IQuicOutput
{
    private long lineFreeAt;

    public QuicEndpoint? To { get; set; }

    /// <summary>The way back, which the receiver gets as its reply path.</summary>
    public SimulatedPath? Back { get; set; }

    public int HeaderRoom { get; set; }

    public int MaxDatagramSize { get; set; } = 1400;

    /// <summary>What the network really carries; larger datagrams vanish.</summary>
    public int Mtu { get; set; } = 65_535;

    public double Loss { get; set; }

    public double Duplication { get; set; }

    /// <summary>Share of datagrams that come up to ten times the delay late.</summary>
    public double Reordering { get; set; }

    public long Delay { get; set; } = 10_000_000;

    /// <summary>Bytes per second; 0 = no limit.</summary>
    public long Rate { get; set; }

    public bool IsBlack { get; set; }

    public bool IsFull { get; set; }

    /// <summary>How long the line's queue is now, ns.</summary>
    public long Queued => Math.Max(0, lineFreeAt - driver.Now);

    /// <summary>Datagrams dropped because the queue was longer than 100 ms.</summary>
    public long Overflowed { get; private set; }

    public long Sent { get; private set; }

    public long Delivered { get; private set; }

    public int LargestSent { get; private set; }

    public int LongestTrain { get; private set; }

    /// <summary>A copy of every datagram, for those who ask.</summary>
    public Action<byte[]>? Tap { get; set; }

    public bool Send(Span<byte> train, int segmentSize)
    {
        if (IsFull)
        {
            return false;
        }

        Assert.InRange(segmentSize, HeaderRoom + 1, HeaderRoom + MaxDatagramSize);
        LongestTrain = Math.Max(LongestTrain, (train.Length + segmentSize - 1) / segmentSize);
        for (int offset = 0; offset < train.Length; offset += segmentSize)
        {
            int length = Math.Min(segmentSize, train.Length - offset);
            train.Slice(offset, Math.Min(HeaderRoom, length)).Fill(0xee);
            SendOne(train.Slice(offset + HeaderRoom, length - HeaderRoom).ToArray());
        }

        return true;
    }

    public void Inject(byte[] datagram) => driver.At(driver.Now + Delay, () => Deliver(datagram));

    private void SendOne(byte[] datagram)
    {
        Sent++;
        LargestSent = Math.Max(LargestSent, datagram.Length);
        Tap?.Invoke(datagram);
        if (IsBlack || datagram.Length > Mtu || random.NextDouble() < Loss)
        {
            return;
        }

        long at = driver.Now;
        if (Rate > 0)
        {
            lineFreeAt = Math.Max(lineFreeAt, at) + (datagram.Length * 1_000_000_000L / Rate);
            at = lineFreeAt;
            if (at - driver.Now > 100_000_000)
            {
                lineFreeAt -= datagram.Length * 1_000_000_000L / Rate;
                Overflowed++;
                return;
            }
        }

        int copies = random.NextDouble() < Duplication ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            long extra = random.NextDouble() < Reordering ? (long)(Delay * 9 * random.NextDouble()) : 0;
            driver.At(at + Delay + extra, () => Deliver(datagram));
        }
    }

    private void Deliver(byte[] datagram)
    {
        if (!IsBlack)
        {
            Delivered++;
            To!.Receive(datagram, datagram.Length, Back!);
        }
    }
}
