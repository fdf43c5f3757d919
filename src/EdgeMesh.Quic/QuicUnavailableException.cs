namespace EdgeMesh.Quic;

/// <summary>ngtcp2 or GnuTLS is missing or of another version. The message is one line: what is wrong and the remedy.</summary>
public sealed class QuicUnavailableException : Exception
{
    public QuicUnavailableException(string message)
        : base(message)
    {
    }

    public QuicUnavailableException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public QuicUnavailableException()
    {
    }
}
