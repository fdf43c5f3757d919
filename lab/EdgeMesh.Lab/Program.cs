using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

try
{
    switch (args)
    {
        case ["clean"]:
            Console.WriteLine($"{await Lab.RemoveDeadAsync(stop.Token, all: true)} labs removed");
            return 0;
        case ["up"]:
            return await UpAsync();
        case ["echo-tcp", string listen]:
            await Echo.TcpAsync(IPEndPoint.Parse(listen), stop.Token);
            return 0;
        case ["echo-udp", string listen]:
            Echo.Udp(IPEndPoint.Parse(listen));
            return 0;
        case ["udp-burst", string server, string count, string rate, string bytes]:
            return Print(await UdpBurst.RunAsync(IPEndPoint.Parse(server), Number(count), Number(rate), Number(bytes)));
        case ["connect-rate", string server, string concurrency, string seconds]:
            return Print(await TcpLoad.ConnectAsync(IPEndPoint.Parse(server), Number(concurrency), TimeSpan.FromSeconds(Number(seconds))));
        case ["ping-pong", string server, string concurrency, string seconds, string bytes]:
            return Print(await TcpLoad.PingAsync(IPEndPoint.Parse(server), Number(concurrency), TimeSpan.FromSeconds(Number(seconds)), Number(bytes)));
        case ["requests", string server, string host, string path, string every]:
            return Print(await new RequestLoop(IPEndPoint.Parse(server), host, path).EveryAsync(
                TimeSpan.FromMilliseconds(Number(every)), Task.Run(Console.In.ReadToEnd)));
        case ["many-requests", string server, string host, string path, string clients, string total, string pause]:
            return Print(await new RequestLoop(IPEndPoint.Parse(server), host, path).ManyAsync(
                Number(clients), Number(total), TimeSpan.FromMilliseconds(Number(pause))));
        case ["steady", string server, string streams]:
            return Print(await new SteadyStreams(IPEndPoint.Parse(server), Number(streams)).RunAsync(Task.Run(Console.In.ReadToEnd)));
        case ["hold", string server, string count]:
            await Crowd.HoldAsync(IPEndPoint.Parse(server), Number(count), Task.Run(Console.In.ReadToEnd));
            return 0;
        case ["udp-flows", string server, string count]:
            await Crowd.FlowsAsync(IPEndPoint.Parse(server), Number(count), Task.Run(Console.In.ReadToEnd));
            return 0;
        case ["ledger", string listen]:
            await Ledger.ServeAsync(IPEndPoint.Parse(listen), stop.Token);
            return 0;
        case ["give", string server, string line]:
            Console.WriteLine(await Ledger.GiveAsync(IPEndPoint.Parse(server), line));
            return 0;
        case ["wire", string left, string right, string shape]:
            using (WireBox box = new(left, right, Shape.Parse(shape)))
            {
                await RunWireAsync(box);
            }

            return 0;
        case ["api", string listen, .. string[] faces]:
            await using (FakeApi api = await FakeApi.StartAsync(IPEndPoint.Parse(listen)))
            {
                api.MetaServer = faces is ["metaserver"] ? MetaServerMode.Cloud : null;
                await Task.Delay(Timeout.Infinite, stop.Token);
            }

            return 0;
        case ["lookup", string name]:
            return await LookUpAsync(name);
        case ["reflect", string listen]:
            await NatProbe.ReflectAsync(IPEndPoint.Parse(listen), stop.Token);
            return 0;
        case ["nat-probe", string port, string first, string second]:
            return Print(await NatProbe.AskAsync(Number(port), IPEndPoint.Parse(first), IPEndPoint.Parse(second)));
        case ["udp-send", string from, string to, string name]:
            await NatProbe.SendAsync(IPEndPoint.Parse(from), IPEndPoint.Parse(to), name);
            return 0;
        default:
            Console.Error.WriteLine("""
                usage: edgemesh-lab up | clean
                       edgemesh-lab echo-tcp IP:PORT | echo-udp IP:PORT
                       edgemesh-lab lookup NAME
                       edgemesh-lab udp-burst IP:PORT COUNT PER-SECOND BYTES
                       edgemesh-lab connect-rate IP:PORT AT-A-TIME SECONDS
                       edgemesh-lab ping-pong IP:PORT CONNECTIONS SECONDS BYTES
                       edgemesh-lab requests IP:PORT HOST PATH EVERY-MS | many-requests IP:PORT HOST PATH CLIENTS TOTAL PAUSE-MS
                       edgemesh-lab steady IP:PORT STREAMS   (until standard input ends)
                       edgemesh-lab hold IP:PORT CONNECTIONS | udp-flows IP:PORT FLOWS   (until standard input ends)
                       edgemesh-lab ledger IP:PORT | give IP:PORT LINE
                       edgemesh-lab wire DEVICE DEVICE "DELAY-US LOSS MBIT QUEUE-US"   (new shapes on standard input)
                       edgemesh-lab api IP:PORT [metaserver]   (POST objects to /control/apply and /control/delete)
                       edgemesh-lab reflect IP:PORT | nat-probe PORT IP:PORT IP:PORT | udp-send FROM TO NAME
                """);
            return 2;
    }
}
catch (OperationCanceledException)
{
    return 0;
}
catch (LabException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

async Task<int> UpAsync()
{
    await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop.Token);
    foreach (Node node in park.Nodes)
    {
        Console.WriteLine($"ip netns exec {node.Host.Namespace} bash");
        foreach (Pod pod in node.Pods)
        {
            Console.WriteLine($"  ip netns exec {pod.Host.Namespace} bash");
        }
    }

    Console.WriteLine("Ctrl-C takes it down");
    await Task.Delay(Timeout.Infinite, stop.Token);
    return 0;
}

async Task RunWireAsync(WireBox box)
{
    box.Start();
    while (await Console.In.ReadLineAsync(stop.Token) is { } line)
    {
        box.Set(Shape.Parse(line));
    }

    await Task.Delay(Timeout.Infinite, stop.Token);
}

static async Task<int> LookUpAsync(string name)
{
    try
    {
        Console.WriteLine(string.Join('\n', (await Dns.GetHostAddressesAsync(name)).Select(a => a.ToString())));
        return 0;
    }
    catch (SocketException error)
    {
        Console.WriteLine(error.SocketErrorCode == SocketError.HostNotFound ? "no such name" : error.Message);
        return 1;
    }
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static int Print<T>(T outcome)
{
    Console.WriteLine(JsonSerializer.Serialize(outcome));
    return 0;
}
