namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>Skipped, with the reason, only where gcc or the headers are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SkippableByCompilerFactAttribute : FactAttribute
{
    public SkippableByCompilerFactAttribute()
    {
        if (!File.Exists("/usr/bin/gcc") || !File.Exists("/usr/include/ngtcp2/ngtcp2_crypto_gnutls.h"))
        {
            Skip = "needs gcc and the headers: apt-get install gcc libngtcp2-dev libngtcp2-crypto-gnutls-dev libgnutls28-dev";
        }
    }
}
