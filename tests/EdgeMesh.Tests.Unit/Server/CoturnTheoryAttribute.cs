namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A theory that needs coturn's STUN client.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CoturnTheoryAttribute : TheoryAttribute
{
    public const string StunClient = "/usr/bin/turnutils_stunclient";

    public CoturnTheoryAttribute()
    {
        if (!File.Exists(StunClient))
        {
            Skip = $"{StunClient} is missing: apt-get install coturn";
        }
    }
}
