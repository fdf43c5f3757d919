using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

/// <summary>The checks that every wire message has to pass, over one good example of it.</summary>
internal static class WireCase
{
    public delegate bool Reader(ReadOnlySpan<byte> message);

    /// <summary>The reader takes the message and no shorter one.</summary>
    public static void RefusesEveryPrefix(byte[] message, Reader read)
    {
        Assert.True(read(message));
        for (int length = 0; length < message.Length; length++)
        {
            Assert.False(read(message.AsSpan(0, length)), $"a prefix of {length} of {message.Length} bytes was taken");
        }
    }

    /// <summary>Flipped bits, cut, doubled and random bytes: any answer, never an exception.</summary>
    public static void MutatedBytesNeverThrow(byte[] message, Reader read)
    {
        Random random = new(message.Length);
        int taken = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] mutated = new byte[random.Next(message.Length + 40)];
            random.NextBytes(mutated);
            message.AsSpan(0, Math.Min(message.Length, mutated.Length)).CopyTo(mutated);
            for (int flips = random.Next(1, 6); flips > 0 && mutated.Length > 0; flips--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            taken += read(mutated) ? 1 : 0;
        }

        Assert.InRange(taken, 0, 19_999);
    }

    /// <summary>Every target that is too short gets 0 and is not overrun.</summary>
    public static void NeverWritesPastItsTarget(int length, Func<byte[], int, int> write)
    {
        byte[] room = new byte[length + 8];
        for (int size = 0; size < length; size++)
        {
            Array.Fill(room, (byte)0xEE);
            Assert.Equal(0, write(room, size));
            Assert.DoesNotContain(room[size..], b => b != 0xEE);
        }

        Assert.Equal(length, write(room, length));
    }

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static WireAddress Address(string text) => WireAddress.From(System.Net.IPEndPoint.Parse(text));
}
