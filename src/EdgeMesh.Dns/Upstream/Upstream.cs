using System.Net;
using System.Security.Cryptography;

namespace EdgeMesh.Dns;

/// <summary>One server and what we have measured of it. Figures are written by any attempt; the last one wins.</summary>
internal sealed class Upstream(IPEndPoint server)
{
    private const int Unknown = -1;

    private volatile int latency = Unknown;
    private volatile int failures;
    private volatile bool isLoop;

    public IPEndPoint Server => server;

    /// <summary>A name that nobody asks for but us: should it come back as a query, this upstream forwards to us.</summary>
    public byte[] ProbeName { get; } = WireName.FromText(
        $"{RandomNumberGenerator.GetHexString(16, lowercase: true)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}");

    /// <summary>Smoothed milliseconds; null before the first answer.</summary>
    public int? Latency => latency == Unknown ? null : latency;

    /// <summary>Attempts without an answer since the last answer.</summary>
    public int Failures => failures;

    public bool IsLoop => isLoop;

    public void MarkLoop() => isLoop = true;

    public void Answered(long milliseconds)
    {
        int last = latency;
        int sample = (int)Math.Min(milliseconds, 60_000);
        latency = last == Unknown ? sample : ((last * 7) + sample) / 8;
        failures = 0;
    }

    /// <summary>Another one was quicker: it took at least this long.</summary>
    public void Outrun(long milliseconds)
    {
        if (milliseconds > latency)
        {
            latency = (int)Math.Min(milliseconds, 60_000);
        }
    }

    public void Failed() => failures = Math.Min(failures + 1, 1_000);

    /// <summary>The node's network changed: what was measured holds no more.</summary>
    public void Forget()
    {
        failures = 0;
        latency = Unknown;
    }
}
