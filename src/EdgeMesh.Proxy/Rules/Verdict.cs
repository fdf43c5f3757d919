namespace EdgeMesh.Proxy.Rules;

/// <summary>Where the <c>services</c> map sends a packet: a positive number K is the chain that draws one of K slots.</summary>
internal static class Verdict
{
    public const int Agent = -1;
    public const int Reject = -2;
    public const int Drop = -3;

    /// <summary>Up to here each number of endpoints has its own chain, so that all shares are exact.</summary>
    public const int MaxExact = 32;

    /// <summary>
    /// Beyond that each kernel endpoint takes as many of so many slots as come closest to its share (off by less than 2 % of
    /// the share at 33 endpoints), the agent's arm the rest.
    /// </summary>
    public const int Coarse = 1024;

    /// <summary>As many slots as <see cref="Coarse"/>, but a client's address decides over its slot, not chance.</summary>
    public const int ByClient = 100_000;

    public static string ChainOf(int code) => code switch
    {
        ByClient => $"h{Coarse}",
        Agent => "agent",
        Reject => "refuse",
        Drop => "discard",
        _ => $"n{code}",
    };
}
