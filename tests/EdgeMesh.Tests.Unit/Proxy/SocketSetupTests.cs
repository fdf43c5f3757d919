using System.Net;
using System.Net.Sockets;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class SocketSetupTests
{
    [Fact]
    public async Task TellsHowManyConnectionsWait()
    {
        using Socket listener = Listen();
        Assert.Equal(0, SocketSetup.Waiting(listener));
        List<Socket> clients = [];
        for (int i = 1; i <= 3; i++)
        {
            clients.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await clients[^1].ConnectAsync(listener.LocalEndPoint!);
            int connected = i;
            await Eventually.HoldsAsync(() => SocketSetup.Waiting(listener) == connected);
        }

        using Socket taken = listener.Accept();
        Assert.Equal(2, SocketSetup.Waiting(listener));
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task WhatAListenerAcceptsIsProbed()
    {
        using Socket listener = Listen();
        SocketSetup.KeepAlive(listener);
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        using Socket accepted = listener.Accept();
        Assert.Equal(1, accepted.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Equal(120, accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        Assert.Equal(30, accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval));
        Assert.Equal(4, accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount));
    }

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        return listener;
    }
}
