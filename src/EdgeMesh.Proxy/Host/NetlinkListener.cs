using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeMesh.Proxy.Host;

/// <summary>
/// Hears the kernel's multicast messages about routes, links or nftables. A waiting socket costs nothing, a poll each
/// second would be most of an idle agent's CPU time. Reading only: whatever is written goes through the commands.
/// </summary>
internal sealed partial class NetlinkListener : IDisposable
{
    public const int Route = 0;
    public const int Netfilter = 12;

    // rtnetlink(7): RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE. linux/netfilter/nfnetlink.h: NFNLGRP_NFTABLES.
    public static readonly int[] NetworkGroups = [1, 5, 7, 8];
    public static readonly int[] RuleGroups = [7];

    private readonly Socket socket;

    private NetlinkListener(Socket socket) => this.socket = socket;

    /// <returns>Null where the kernel refuses.</returns>
    public static NetlinkListener? TryOpen(int protocol, int[] groups)
    {
        const int Family = 16;
        const int RawCloseOnExec = 3 | 0x80000;
        int descriptor = OpenSocket(Family, RawCloseOnExec, protocol);
        if (descriptor < 0)
        {
            return null;
        }

        // sockaddr_nl: family (2), padding (2), port (4; 0: the kernel gives one), groups (4). An unbound socket has port 0,
        // and that is the one which multicasts leave out.
        byte[] address = [Family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Socket socket = new(new SafeSocketHandle(descriptor, ownsHandle: true));
        if (Bind(descriptor, address, address.Length) != 0)
        {
            socket.Dispose();
            return null;
        }

        try
        {
            const int SolNetlink = 270;
            const int AddMembership = 1;
            foreach (int group in groups)
            {
                socket.SetRawSocketOption(SolNetlink, AddMembership, BitConverter.GetBytes(group));
            }

            // A full sync of thousands of Services is told element by element.
            socket.SetRawSocketOption(1, 33, BitConverter.GetBytes(4 << 20));
            return new NetlinkListener(socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <returns>Bytes of messages; -1: the kernel had to drop some, look for yourself.</returns>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken stop)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, SocketFlags.None, stop).ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            return -1;
        }
    }

    public void Dispose() => socket.Dispose();

    // Numbers and a byte array: nothing of this needs unsafe code, and .NET has no address family for netlink.
    [DllImport("libc", EntryPoint = "socket")]
    private static extern int OpenSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "bind")]
    private static extern int Bind(int descriptor, byte[] address, int length);
}
