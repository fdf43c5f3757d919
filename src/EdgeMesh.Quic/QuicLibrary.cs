using System.Runtime.InteropServices;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>The native libraries below this room.</summary>
public static class QuicLibrary
{
    private const string Remedy = "EdgeMesh needs ngtcp2 0.12.1 with GnuTLS as Debian 12 ships them: " +
        "apt-get install libngtcp2-9 libngtcp2-crypto-gnutls2 libgnutls30";

    private static readonly Lazy<string> Loaded = new(() => Load(name => NativeLibrary.TryLoad(name, out _), ReadVersion));

    /// <summary>Loads the libraries and checks their versions. May be called from any thread, costs nothing the second time.</summary>
    /// <returns>For logs, e.g. <c>ngtcp2 0.12.1, GnuTLS 3.7.9</c>.</returns>
    /// <exception cref="QuicUnavailableException">Missing, or not the one version whose structs this room knows.</exception>
    public static string EnsureLoaded() => Loaded.Value;

    /// <summary>The check itself, with its view of the machine from outside.</summary>
    internal static string Load(Func<string, bool> tryLoad, Func<(int Number, string Ngtcp2, string GnuTls)> readVersion)
    {
        foreach (string name in (ReadOnlySpan<string>)[GnuTls.Library, Ngtcp2.Library, GnuTls.HelperLibrary])
        {
            if (!tryLoad(name))
            {
                throw new QuicUnavailableException($"{name} is missing; {Remedy}");
            }
        }

        (int number, string ngtcp2, string gnuTls) = readVersion();
        if (number != Ngtcp2.VersionNumber)
        {
            // The structs of another version have another layout: going on would corrupt memory.
            throw new QuicUnavailableException($"{Ngtcp2.Library} is version {ngtcp2}; {Remedy}");
        }

        return $"ngtcp2 {ngtcp2}, GnuTLS {gnuTls}";
    }

    private static unsafe (int Number, string Ngtcp2, string GnuTls) ReadVersion()
    {
        NgInfo* info = Ngtcp2.ngtcp2_version(0);
        return (
            info->VersionNumber,
            Marshal.PtrToStringUTF8((nint)info->VersionText) ?? "unknown",
            Marshal.PtrToStringUTF8((nint)GnuTls.gnutls_check_version(null)) ?? "unknown");
    }
}
