using CsCheck;
using EdgeMesh.Quic;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class ByteQueueTests
{
    [Fact]
    public void GivesBackWhatWasWrittenWhateverTheSteps() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 150_000]).Array[0, 60].Sample(Run, iter: 200);

    private static unsafe void Run((int Kind, int Size)[] steps)
    {
        using ChunkPool pool = new();
        ByteQueue queue = new(pool);
        long written = 0;
        long sent = 0;
        long released = 0;
        NgVec* vectors = stackalloc NgVec[3];
        foreach ((int kind, int size) in steps)
        {
            switch (kind)
            {
                case 0:
                    byte[] data = new byte[size];
                    for (int i = 0; i < size; i++)
                    {
                        data[i] = Pattern(written + i);
                    }

                    queue.Write(data);
                    written += size;
                    break;
                case 1:
                    int count = queue.Gather(vectors, 3, size, out int bytes);
                    long offset = sent;
                    int sum = 0;
                    for (int v = 0; v < count; v++)
                    {
                        for (nuint i = 0; i < vectors[v].Length; i++)
                        {
                            Assert.Equal(Pattern(offset++), vectors[v].Base[i]);
                        }

                        sum += (int)vectors[v].Length;
                    }

                    Assert.Equal(sum, bytes);
                    Assert.True(bytes <= size);
                    Assert.True(bytes > 0 || size == 0 || written == sent);
                    queue.Advance(bytes);
                    sent += bytes;
                    break;
                default:
                    // Only what was sent can be acknowledged.
                    int release = (int)Math.Min(size, sent - released);
                    if (queue.Front.Length > 0)
                    {
                        Assert.Equal(Pattern(released), queue.Front[0]);
                    }

                    queue.Release(release);
                    released += release;
                    break;
            }

            Assert.Equal(written - released, queue.Length);
            Assert.Equal(written - sent, queue.Unsent);
            Assert.True(queue.Length > 0 || pool.InUse == 0, "an empty queue holds memory");
        }

        queue.Clear();
        Assert.Equal(0, pool.InUse);
    }

    private static byte Pattern(long position) => (byte)((position * 31) ^ (position >> 8));
}
