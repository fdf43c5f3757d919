using EdgeMesh.ProxyHost;

// The proxy in a network namespace of its own, without the other rooms: a test starts it with `ip netns exec`, because the
// namespace belongs to the process. Beside it the ends of its connections: servers that say who they are, and clients that
// say what they saw.
if (args is [.. string[] rest, "--impatient" or "--patient"])
{
    Client.Patience = TimeSpan.FromSeconds(args[^1] == "--patient" ? 20 : 1);
    args = rest;
}

return args switch
{
    ["proxy", ..] => await ProxyRun.RunAsync(args[1..]),
    ["serve", string name, string port] => await EchoServer.RunAsync(name, int.Parse(port), Task.CompletedTask),
    ["serve-late", string name, string port] => await EchoServer.RunAsync(name, int.Parse(port), Task.Run(Console.In.ReadLine)), // its asynchronous form blocks
    ["spread", string to, string count] => await Client.SpreadAsync(to, int.Parse(count)),
    ["spread-until", string to, string file] => await Client.SpreadUntilAsync(to, file),
    ["hold", string to, string count] => await Client.HoldAsync(to, int.Parse(count)),
    ["upload", string to, string bytes] => await Client.UploadAsync(to, int.Parse(bytes)),
    ["push", string to, string bytes] => await Client.PushAsync(to, int.Parse(bytes)),
    ["connect", string to] => await Client.ConnectAsync(to),
    ["slow", string to, string ms] => await Client.SlowAsync(to, int.Parse(ms)),
    ["reset", string to] => await Client.ResetAsync(to),
    ["udp", string to, string bytes] => await Client.DatagramAsync(to, int.Parse(bytes)),
    ["udp-spread", string to, string count] => await Client.DatagramSpreadAsync(to, int.Parse(count)),
    ["udp-burst", string to, string count, string rate] => await Client.BurstAsync(to, int.Parse(count), int.Parse(rate)),
    ["udp-follow", string to] => await Client.FollowAsync(to),
    _ => throw new ArgumentException("proxy | serve | serve-late | spread | spread-until | hold | upload | push | connect | slow | reset | udp | udp-spread | udp-burst | udp-follow"),
};
