namespace EdgeMesh.Server.Relay;

/// <summary>
/// What the relay can carry, learnt: nothing is known until datagrams pile up because nobody reads them in time. Then it begins
/// with what was carried and goes up and down until datagrams pile up half of the time, and is forgotten when nobody wants as
/// much. A pure function of what is told window by window.
/// </summary>
internal sealed class Overload
{
    /// <summary>
    /// Bytes a second that any machine carries. Where datagrams pile up even so, it is not what is relayed that fills the
    /// buffer, and relaying less would not help.
    /// </summary>
    public const double Least = 10_000_000;

    // A machine that stalls has piles whatever is relayed: less than half of the time is no reason to relay less.
    private const double Target = 0.5;

    // Of the capacity, in a window, at a distance of 1 from the target.
    private const double Gain = 0.3;

    // Nothing is forgotten on the word of one window: after a stall it has seen little.
    private const double Over = 1.2;
    private const double Fading = 0.9;

    private double wanted;

    /// <summary>Bytes a second; infinite while nothing is known.</summary>
    public double Capacity { get; private set; } = double.PositiveInfinity;

    /// <param name="offered">Bytes a second that agents sent in the window, as far as they were read.</param>
    /// <param name="carried">Of them handed on.</param>
    /// <param name="crowding">The part of the window for which datagrams were piled up, 0 to 1.</param>
    public void Update(double offered, double carried, double crowding)
    {
        wanted = Math.Max(offered, wanted * Fading);
        if (!double.IsInfinity(Capacity))
        {
            double next = Math.Min(Capacity * (1 + (Gain * (Target - crowding))), wanted * Over);
            bool isEnough = crowding == 0 && next >= wanted * Over;
            Capacity = isEnough ? double.PositiveInfinity : Math.Max(next, Least);
        }
        else if (crowding > Target)
        {
            Capacity = Math.Max(carried, Least);
        }
    }

    /// <summary>After a pause nothing before it counts.</summary>
    public void Forget()
    {
        wanted = 0;
        Capacity = double.PositiveInfinity;
    }
}
