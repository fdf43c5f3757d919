namespace EdgeMesh.Lab;

/// <summary>tinyproxy on a host of its own in a site's LAN, as offices have it: with a login, and for port 443 alone.</summary>
public static class HttpProxyHost
{
    /// <summary>Last number of its address.</summary>
    public const int Last = 9;

    public const int Port = 3128;

    /// <param name="lab">Where.</param>
    /// <param name="router">Of the site; its LAN is a /24.</param>
    /// <param name="lan">First three numbers of the LAN's addresses.</param>
    /// <param name="login">USER PASSWORD.</param>
    /// <param name="names">What it can resolve: lines of /etc/hosts.</param>
    /// <param name="stop">Stops.</param>
    public static async Task<LabProcess> StartAsync(Lab lab, Router router, string lan, string login, string names, CancellationToken stop)
    {
        Host host = await lab.AddHostAsync($"{router.Host.Name}-proxy", router.Lan, $"{lan}.{Last}/24", $"{lan}.1", stop);
        await host.NameAsync(names, stop);
        string file = Path.Combine(lab.Directory, $"{host.Name}.conf");
        await File.WriteAllTextAsync(file, $"""
            User root
            Group root
            Listen {lan}.{Last}
            Port {Port}
            MaxClients 50
            Timeout 600
            LogLevel Connect
            BasicAuth {login}
            ConnectPort 443

            """, stop);
        LabProcess proxy = host.Start("tinyproxy", ["tinyproxy", "-d", "-c", file]);
        await ParkMesh.UntilAsync("the proxy answers", async () => proxy.HasExited
            ? throw new LabException($"tinyproxy ended: {proxy.Log()}")
            : (await host.RunAsync(stop, "curl", "-s", "-m", "2", "-o", "/dev/null", $"http://{lan}.{Last}:{Port}/")).Succeeded, stop);
        return proxy;
    }
}
