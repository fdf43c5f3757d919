using System.Diagnostics;
using System.Globalization;

namespace EdgeMesh.Lab;

/// <summary>Memory of a process (<c>/proc/PID/status</c>), kB, and CPU seconds so far.</summary>
public readonly record struct ProcessUse(long RssKilobytes, long RssAnonKilobytes, double CpuSeconds);

/// <summary>A program running in a host of the lab.</summary>
public sealed class LabProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StreamWriter log;
    private readonly Lock gate = new(); // guards log

    private LabProcess(Process process, string logFile)
    {
        this.process = process;
        LogFile = logFile;
        log = new StreamWriter(logFile, append: true) { AutoFlush = true };
    }

    public string LogFile { get; }

    /// <summary>Id of the program itself: <c>ip netns exec</c> becomes it.</summary>
    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    public Task ExitAsync(CancellationToken stop) => process.WaitForExitAsync(stop);

    /// <summary>Closes standard input.</summary>
    public void CloseInput() => process.StandardInput.Close();

    public Task WriteLineAsync(string line) => process.StandardInput.WriteLineAsync(line);

    public string Log()
    {
        using FileStream file = new(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(file);
        return reader.ReadToEnd();
    }

    /// <param name="name">Such as TERM, KILL, STOP.</param>
    public void Signal(string name)
    {
        if (!process.HasExited)
        {
            using Process kill = Process.Start("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }
    }

    public ProcessUse Use() => UseOf(process.Id);

    public static ProcessUse UseOf(int process)
    {
        long Kilobytes(string key)
        {
            foreach (string line in File.ReadLines($"/proc/{process}/status"))
            {
                if (line.StartsWith(key + ":", StringComparison.Ordinal))
                {
                    return long.Parse(line[(key.Length + 1)..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
                }
            }

            return 0;
        }

        return new ProcessUse(Kilobytes("VmRSS"), Kilobytes("RssAnon"), CpuSecondsOf($"/proc/{process}/stat"));
    }

    /// <param name="file">A process's or a thread's <c>stat</c> (proc_pid_stat(5), fields 14 and 15).</param>
    public static double CpuSecondsOf(string file)
    {
        string stat = File.ReadAllText(file);
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
        lock (gate)
        {
            log.Dispose();
        }
    }

    internal static LabProcess Start(Host host, string title, string[] arguments, IReadOnlyDictionary<string, string>? environment)
    {
        // setpriv: the child dies with the lab's process, whatever happens to it; in a lab that is to be left up it does not.
        ProcessStartInfo start = new(host.Lab.Keep ? "ip" : "setpriv", host.Lab.Keep ? arguments : ["--pdeathsig", "KILL", "ip", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        Process process = Spawner.Start(start) ?? throw new LabException($"{title} did not start");
        LabProcess running = new(process, Path.Combine(host.Lab.Directory, $"{host.Name}-{title}.log"));
        process.OutputDataReceived += running.Keep;
        process.ErrorDataReceived += running.Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.AutoFlush = true;
        return running;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            lock (gate)
            {
                if (log.BaseStream is { CanWrite: true })
                {
                    log.WriteLine(line.Data);
                }
            }
        }
    }
}
