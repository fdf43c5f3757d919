namespace EdgeMesh.Quic;

/// <summary>The native libraries below this room.</summary>
public static class QuicLibrary
{
    /// <summary>Loads the libraries and checks their versions. May be called from any thread, costs nothing the second time.</summary>
    /// <returns>For logs, e.g. <c>ngtcp2 0.12.1, GnuTLS 3.7.9</c>.</returns>
    /// <exception cref="QuicUnavailableException">Missing, or not the one version whose structs this room knows.</exception>
    public static string EnsureLoaded() => throw new NotImplementedException();
}
