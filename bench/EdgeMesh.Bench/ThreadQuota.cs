using System.Globalization;

namespace EdgeMesh.Bench;

/// <summary>Control groups that hold each of some threads to a share of a core (cgroup v1, where threads may be put one by one).</summary>
internal sealed class ThreadQuota : IDisposable
{
    private const int Groups = 4;
    private const int PeriodMicroseconds = 5_000;
    private const string Root = "/sys/fs/cgroup/cpu";

    private readonly string[] groups;

    private ThreadQuota(string[] groups) => this.groups = groups;

    /// <returns>Null where that cannot be had.</returns>
    public static ThreadQuota? TryCreate(double share)
    {
        ThreadQuota made = new([.. Enumerable.Range(0, Groups).Select(i => Path.Combine(Root, $"edgemesh-bench-{Environment.ProcessId}-{i}"))]);
        if (!File.Exists(Path.Combine(Root, "tasks")))
        {
            return null;
        }

        try
        {
            foreach (string group in made.groups)
            {
                Directory.CreateDirectory(group);
                File.WriteAllText(Path.Combine(group, "cpu.cfs_period_us"), PeriodMicroseconds.ToString(CultureInfo.InvariantCulture));
                File.WriteAllText(Path.Combine(group, "cpu.cfs_quota_us"), ((int)(PeriodMicroseconds * share)).ToString(CultureInfo.InvariantCulture));
            }

            return made;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            made.Dispose();
            return null;
        }
    }

    /// <summary>Until they end.</summary>
    public void Hold(IEnumerable<int> threads)
    {
        foreach ((int thread, string group) in threads.Zip(groups))
        {
            File.WriteAllText(Path.Combine(group, "tasks"), thread.ToString(CultureInfo.InvariantCulture));
        }
    }

    public void Dispose()
    {
        foreach (string group in groups)
        {
            try
            {
                foreach (string thread in File.ReadAllLines(Path.Combine(group, "tasks")))
                {
                    File.WriteAllText(Path.Combine(Root, "tasks"), thread);
                }

                Directory.Delete(group);
            }
            catch (IOException)
            {
                // Not made, or a thread has just ended.
            }
        }
    }
}
