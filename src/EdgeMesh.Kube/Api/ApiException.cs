namespace EdgeMesh.Kube;

/// <summary>An answer of the API that is no success, or none that can be read.</summary>
internal sealed class ApiException(int status, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>A status of ours: what came over a watch makes no sense, only a list tells what is there.</summary>
    public const int Garbled = -1;

    /// <summary>HTTP status, or the code of a Status object; 0 where the connection is the fault.</summary>
    public int Status => status;

    public TimeSpan? RetryAfter => retryAfter;

    /// <summary>The history we ask for is compacted: list again.</summary>
    public bool IsGone => status == 410;

    /// <summary>The server is behind what we have seen elsewhere.</summary>
    public bool IsTooNew => status == 504;

    public bool IsGarbled => status == Garbled;

    public bool IsAbsent => status == 404;
}
