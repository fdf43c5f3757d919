using System.Globalization;

namespace EdgeMesh.Lab;

/// <summary>A network namespace and what runs in it.</summary>
public sealed class Host(Lab lab, string name, string netns)
{
    public Lab Lab => lab;

    public string Name => name;

    /// <summary>Name for <c>ip netns exec</c>.</summary>
    public string Namespace => netns;

    public Task<CommandResult> RunAsync(CancellationToken stop, params string[] command) => Command.RunAsync("ip", Inside(command), null, stop);

    /// <exception cref="LabException">The command failed.</exception>
    public Task<string> MustAsync(CancellationToken stop, params string[] command) => Command.MustAsync("ip", Inside(command), null, stop);

    /// <summary>Starts a program that runs until the lab ends or it is stopped. Its output goes to <see cref="LabProcess.LogFile"/>.</summary>
    public LabProcess Start(string title, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        LabProcess process = LabProcess.Start(this, title, Inside(command), environment);
        lab.Track(process);
        return process;
    }

    /// <summary>Applies nftables text in one transaction.</summary>
    public Task NftAsync(string rules, CancellationToken stop) => Command.MustAsync("ip", Inside(["nft", "-f", "-"]), rules, stop);

    public Task SysctlAsync(string key, string value, CancellationToken stop) => MustAsync(stop, "sysctl", "-qw", $"{key}={value}");

    /// <summary>What names are here, beside DNS: lines of <c>/etc/hosts</c>, for programs that are started from now on.</summary>
    public async Task NameAsync(string lines, CancellationToken stop)
    {
        string etc = $"/etc/netns/{netns}";
        Directory.CreateDirectory(etc);
        await File.WriteAllTextAsync(Path.Combine(etc, "hosts"), $"127.0.0.1 localhost\n{lines}\n", stop);
    }

    /// <summary>Bytes the interface has received and sent.</summary>
    public async Task<(long In, long Out)> BytesAsync(string device, CancellationToken stop)
    {
        string text = await MustAsync(stop, "cat", $"/sys/class/net/{device}/statistics/rx_bytes", $"/sys/class/net/{device}/statistics/tx_bytes");
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (long.Parse(lines[0], CultureInfo.InvariantCulture), long.Parse(lines[1], CultureInfo.InvariantCulture));
    }

    internal Task IpAsync(IEnumerable<string> lines, CancellationToken stop) =>
        Command.MustAsync("ip", ["-n", netns, "-batch", "-"], string.Join('\n', lines) + "\n", stop);

    private string[] Inside(IReadOnlyList<string> command) => ["netns", "exec", netns, .. command];
}
