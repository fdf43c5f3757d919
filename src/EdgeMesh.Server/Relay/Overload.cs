namespace EdgeMesh.Server.Relay;

/// <summary>
/// What the relay can carry, learnt: nothing is known until the kernel drops datagrams because nobody reads them in time. Then
/// it is a little less than the most that was carried lately, less while losses go on, more while there are none, until
/// nobody wants as much. A pure function of what is told window by window.
/// </summary>
internal sealed class Overload
{
    // Below what was carried: reading and dropping costs something too.
    private const double FirstStep = 0.95;
    private const double Down = 0.95;
    private const double Up = 1.02;

    // A machine that is stalled for a moment is not slow for good.
    private const double Floor = 0.5;
    private const double Over = 1.2;
    private const double Forget = 0.95;

    private double peak;

    /// <summary>Bytes a second; infinite while nothing is lost.</summary>
    public double Capacity { get; private set; } = double.PositiveInfinity;

    /// <param name="offered">Bytes a second that agents sent in the window, as far as they were read.</param>
    /// <param name="carried">Of them handed on.</param>
    /// <param name="lost">Datagrams dropped by the kernel.</param>
    public void Update(double offered, double carried, long lost)
    {
        peak = Math.Max(carried, peak * Forget);
        if (lost > 0)
        {
            Capacity = double.IsInfinity(Capacity) ? peak * FirstStep : Math.Max(Capacity * Down, peak * Floor);
        }
        else if (!double.IsInfinity(Capacity))
        {
            Capacity *= Up;
            if (Capacity > offered * Over)
            {
                Capacity = double.PositiveInfinity;
            }
        }
    }
}
