namespace EdgeMesh.Tunnel.Wire;

/// <summary>The codes of <see cref="ErrorAnswer"/>.</summary>
public static class ErrorCodes
{
    public const string BadRequest = "bad-request";
    public const string TokenUnknown = "token-unknown";
    public const string TokenExpired = "token-expired";
    public const string TokenUsedUp = "token-used-up";
    public const string TokenOtherNode = "token-other-node";
    public const string Revoked = "revoked";

    /// <summary>Another server does that; the message is its address.</summary>
    public const string Elsewhere = "elsewhere";
    public const string NameTaken = "name-taken";
    public const string SlowDown = "slow-down";

    /// <summary>The server has as many agents as it may have.</summary>
    public const string Full = "full";
}
