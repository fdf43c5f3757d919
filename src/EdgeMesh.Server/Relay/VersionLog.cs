using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Relay;

/// <summary>Tells of messages in unknown versions, each version once a minute. Reactor only.</summary>
internal sealed class VersionLog(ILogger log)
{
    private const long Minute = 60_000_000_000;

    private readonly long[] toldAt = new long[16];

    public void Saw(int version, long now)
    {
        if (toldAt[version] == 0 || now - toldAt[version] >= Minute)
        {
            toldAt[version] = now;
            ServerLog.UnknownVersion(log, version);
        }
    }
}
