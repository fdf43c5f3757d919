using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>
/// The one path every connection believes to be on. The path layer below moves datagrams between real paths; ngtcp2 never
/// sees an address change, so it never validates, migrates or resets.
/// </summary>
internal static unsafe class VirtualPath
{
    public static readonly NgPath* Pointer = Create();

    private static NgPath* Create()
    {
        NgPath* path = (NgPath*)NativeMemory.AllocZeroed((nuint)sizeof(NgPath) + 64);
        byte* local = (byte*)(path + 1);
        byte* remote = local + 32;
        SocketAddress.Write(local, UdpAddress.FromBytes([192, 0, 2, 1], 1));
        SocketAddress.Write(remote, UdpAddress.FromBytes([192, 0, 2, 2], 2));
        path->Local = new NgAddress { Address = local, Length = 16 };
        path->Remote = new NgAddress { Address = remote, Length = 16 };
        return path;
    }
}
