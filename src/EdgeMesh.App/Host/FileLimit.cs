using System.Runtime.InteropServices;

namespace EdgeMesh.App.Host;

/// <summary>The limit of open files (RLIMIT_NOFILE): a forwarded connection takes two.</summary>
internal static class FileLimit
{
    private const int RlimitNoFile = 7;
    private const ulong Wanted = 1 << 20;

    /// <summary>Raises soft and hard limit as far as this process may, and tells the limit from now on.</summary>
    public static ulong Raise()
    {
        if (GetLimit(RlimitNoFile, out Limit limit) != 0)
        {
            return 0;
        }

        // A greater hard limit takes CAP_SYS_RESOURCE; without it the soft limit still rises to the hard one.
        Limit greater = new(Math.Max(Wanted, limit.Soft), Math.Max(Wanted, limit.Hard));
        if (limit.Soft < Wanted && SetLimit(RlimitNoFile, greater) != 0)
        {
            _ = SetLimit(RlimitNoFile, new Limit(limit.Hard, limit.Hard));
        }

        return GetLimit(RlimitNoFile, out limit) == 0 ? limit.Soft : 0;
    }

#pragma warning disable SYSLIB1054 // The generated marshalling would make this room unsafe; these structs are blittable as they are.
    [DllImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetLimit(int resource, out Limit limit);

    [DllImport("libc", EntryPoint = "setrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int resource, in Limit limit);
#pragma warning restore SYSLIB1054

    // struct rlimit: two rlim_t, 64 bits wide on every Linux that .NET runs on.
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Limit(ulong Soft, ulong Hard);
}
