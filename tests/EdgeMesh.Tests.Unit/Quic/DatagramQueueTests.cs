using CsCheck;
using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class DatagramQueueTests
{
    [Fact]
    public void KeepsOrderAndBoundaries() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 16_000]).Array[0, 400].Sample(
            steps =>
            {
                DatagramQueue queue = new();
                Queue<(int Length, byte Mark)> model = new();
                byte mark = 0;
                long bytes = 0;
                foreach ((bool enqueue, int length) in steps)
                {
                    if (enqueue)
                    {
                        byte[] payload = new byte[length];
                        Array.Fill(payload, ++mark);
                        if (queue.TryEnqueue(payload))
                        {
                            model.Enqueue((length, mark));
                            bytes += length;
                        }
                        else
                        {
                            Assert.True(bytes + length > DatagramQueue.MaxBytes / 2, "refused though there is much room");
                        }
                    }
                    else if (model.TryDequeue(out (int Length, byte Mark) expected))
                    {
                        ReadOnlySpan<byte> payload = queue.Peek();
                        Assert.Equal(expected.Length, payload.Length);
                        Assert.True(payload.IndexOfAnyExcept(expected.Mark) < 0);
                        queue.Dequeue();
                        bytes -= expected.Length;
                    }

                    Assert.Equal(model.Count, queue.Count);
                }
            },
            iter: 200);
}
