using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>The system calls of the reactor and its sockets, raw: .NET's would allocate or throw where "try again" is normal.</summary>
internal static unsafe partial class Libc
{
    public const int EpollIn = 0x1;
    public const int EpollOut = 0x4;
    public const int EpollErr = 0x8;
    public const int EpollHup = 0x10;
    public const int EpollRdHup = 0x2000;
    public const int EpollEdge = unchecked((int)0x80000000);
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;
    public const int EpollCloseOnExec = 0x80000;
    public const int EventFdFlags = 0x80000 | 0x800;

    public const int Interrupted = 4;
    public const int TooManyFilesInSystem = 23;
    public const int TooManyFiles = 24;
    public const int IoError = 5;
    public const int Again = 11;
    public const int Invalid = 22;
    public const int NotImplemented = 38;
    public const int MessageTooLong = 90;
    public const int NoBuffers = 105;
    public const int ConnectionAborted = 103;
    public const int InProgress = 115;

    public const int MsgDontWait = 0x40;
    public const int MsgNoSignal = 0x4000;
    public const int MsgTruncated = 0x20;

    public const int SolSocket = 1;
    public const int SolUdp = 17;
    public const int UdpSegment = 103;
    public const int UdpGro = 104;
    public const int SoError = 4;
    public const int SoKeepAlive = 9;
    public const int SoLinger = 13;
    public const int SoSendBuffer = 7;
    public const int SoReceiveBuffer = 8;
    public const int SoReusePort = 15;
    public const int SoSendBufferForce = 32;
    public const int SoReceiveBufferForce = 33;
    public const int SoMark = 36;
    public const int SoAttachReusePortCbpf = 51;
    public const int SolTcp = 6;
    public const int TcpNoDelay = 1;
    public const int TcpKeepIdle = 4;
    public const int TcpKeepInterval = 5;
    public const int TcpKeepCount = 6;
    public const int TcpInfo = 11;
    public const int AfInet = 2;
    public const int AfInet6 = 10;

    /// <summary>SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC.</summary>
    public const int StreamSocket = 1 | 0x800 | 0x80000;

    private const string C = "libc";

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int fd, void* change);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_wait(int epoll, void* events, int count, int milliseconds);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_pwait2(int epoll, void* events, int count, TimeSpec* timeout, void* signals);

    [LibraryImport(C, SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport(C, SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint recv(int fd, void* buffer, nuint count, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint send(int fd, void* buffer, nuint count, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint recvmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int socket(int family, int type, int protocol);

    [LibraryImport(C, SetLastError = true)]
    public static partial int connect(int fd, void* address, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int shutdown(int fd, int how);

    [LibraryImport(C, SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getsockopt(int fd, int level, int name, void* value, uint* length);

    public static bool SetOption(int fd, int level, int name, int value) => setsockopt(fd, level, name, &value, sizeof(int)) == 0;
}

/// <summary>struct sock_filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct BpfInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Operand);

/// <summary>struct sock_fprog.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BpfProgram
{
    public ushort Length;
    public BpfInstruction* Instructions;
}

[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVec
{
    public void* Base;
    public nuint Length;
}

/// <summary>struct msghdr, 56 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct MessageHeader
{
    [FieldOffset(0)] public void* Name;
    [FieldOffset(8)] public uint NameLength;
    [FieldOffset(16)] public IoVec* Vectors;
    [FieldOffset(24)] public nuint VectorCount;
    [FieldOffset(32)] public void* Control;
    [FieldOffset(40)] public nuint ControlLength;
    [FieldOffset(48)] public int Flags;
}

/// <summary>struct cmsghdr with room for one int.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct ControlMessage
{
    [FieldOffset(0)] public nuint Length;
    [FieldOffset(8)] public int Level;
    [FieldOffset(12)] public int Type;
    [FieldOffset(16)] public int Int32;
    [FieldOffset(16)] public ushort UInt16;
}
