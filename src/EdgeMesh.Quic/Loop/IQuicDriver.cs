namespace EdgeMesh.Quic;

/// <summary>
/// What drives the connection core: time, timers and the end of a turn. <see cref="Reactor"/> in production; a virtual clock in
/// tests, where an hour of network passes in a moment and always the same way.
/// </summary>
public interface IQuicDriver
{
    /// <summary>ns, taken once per turn.</summary>
    long Now { get; }

    ReactorTimer CreateTimer(Action callback);

    /// <summary>Runs <paramref name="action"/> once, after all events of this turn.</summary>
    void AtEndOfTurn(Action action);

    /// <summary>Runs <paramref name="action"/> once, after the next look at the sockets: for work cut into fair slices.</summary>
    void NextTurn(Action action);
}
