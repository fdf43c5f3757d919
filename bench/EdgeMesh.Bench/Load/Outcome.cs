namespace EdgeMesh.Bench.Load;

/// <summary>How an attempt to connect ended.</summary>
internal enum Outcome
{
    /// <summary>The welcome has come.</summary>
    In,

    /// <summary>TCP was refused: nobody listens.</summary>
    Refused,

    /// <summary>No TCP connection in time.</summary>
    NoTcp,

    /// <summary>TCP stands, TLS or the request did not get through in time.</summary>
    NoTls,

    /// <summary>The WebSocket stands, the welcome did not come in time.</summary>
    NoWelcome,

    /// <summary>The server ended the connection before the welcome, or answered with an error.</summary>
    Ended,
}
