using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>
/// Which of the sockets on one port the kernel gives a datagram to: the two lowest bits of the first byte of its QUIC connection id
/// are the socket's place (classic BPF, SO_ATTACH_REUSEPORT_CBPF in socket(7)). What is no QUIC goes to the first socket.
/// </summary>
public static unsafe class UdpSteering
{
    /// <summary>What two bits can tell apart.</summary>
    public const int MaxSockets = 4;

    private const byte Mask = MaxSockets - 1;

    // linux/filter.h
    private const ushort LoadByte = 0x30;
    private const ushort Jump = 0x05;
    private const ushort JumpIfEqual = 0x15;
    private const ushort JumpIfSet = 0x45;
    private const ushort And = 0x54;
    private const ushort ReturnValue = 0x16;
    private const ushort ReturnConstant = 0x06;

    private const byte LongHeader = 0x80;
    private const byte FixedBit = 0x40;

    /// <summary>The first byte of a connection id of that socket.</summary>
    internal static byte Mark(byte random, int shard) => (byte)((random & ~Mask) | shard);

    internal static int ShardOf(ulong connectionId) => (int)(connectionId >> 56) & Mask;

    /// <summary>Once all sockets are bound.</summary>
    /// <param name="fd">Any of them.</param>
    /// <param name="wrapper">See <see cref="UdpSocketOptions.Wrapper"/>.</param>
    /// <returns>False: the kernel goes on spreading by address and port.</returns>
    internal static bool TryAttach(int fd, (byte FirstByte, int Length)? wrapper)
    {
        const uint shortId = 1;
        const uint longId = 6;
        uint first = wrapper?.FirstByte ?? uint.MaxValue;
        uint header = (uint)(wrapper?.Length ?? 0);
        Span<BpfInstruction> program =
        [
            new(LoadByte, 0, 0, 0),
            new(JumpIfEqual, 6, 0, first), // to 8
            new(JumpIfSet, 3, 0, LongHeader), // to 6
            new(JumpIfSet, 0, 11, FixedBit), // else to 15
            new(LoadByte, 0, 0, shortId),
            new(Jump, 0, 0, 7), // to 13
            new(LoadByte, 0, 0, longId),
            new(Jump, 0, 0, 5), // to 13
            new(LoadByte, 0, 0, header),
            new(JumpIfSet, 2, 0, LongHeader), // to 12
            new(LoadByte, 0, 0, header + shortId),
            new(Jump, 0, 0, 1), // to 13
            new(LoadByte, 0, 0, header + longId),
            new(And, 0, 0, Mask),
            new(ReturnValue, 0, 0, 0),
            new(ReturnConstant, 0, 0, 0),
        ];
        fixed (BpfInstruction* instructions = program)
        {
            BpfProgram attached = new() { Length = (ushort)program.Length, Instructions = instructions };
            return Libc.setsockopt(fd, Libc.SolSocket, Libc.SoAttachReusePortCbpf, &attached, (uint)sizeof(BpfProgram)) == 0;
        }
    }
}
