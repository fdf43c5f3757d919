using System.Globalization;

namespace EdgeMesh.Lab;

/// <summary>What a wire does to packets, the same in both directions.</summary>
/// <param name="Delay">One way.</param>
/// <param name="Loss">Probability that a packet vanishes, 0–1.</param>
/// <param name="MegabitsPerSecond">Rate; 0 = not limited.</param>
/// <param name="Queue">How long a packet may wait for the rate before it is dropped.</param>
public readonly record struct Shape(TimeSpan Delay, double Loss, int MegabitsPerSecond, TimeSpan Queue)
{
    /// <summary>As the <c>shape</c> verb reads it: microseconds, probability, Mbit/s, microseconds.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(long)Delay.TotalMicroseconds} {Loss} {MegabitsPerSecond} {(long)Queue.TotalMicroseconds}");

    public static Shape Parse(string text)
    {
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 4
            ? new Shape(
                TimeSpan.FromMicroseconds(long.Parse(parts[0], CultureInfo.InvariantCulture)),
                double.Parse(parts[1], CultureInfo.InvariantCulture),
                int.Parse(parts[2], CultureInfo.InvariantCulture),
                TimeSpan.FromMicroseconds(long.Parse(parts[3], CultureInfo.InvariantCulture)))
            : throw new LabException($"'{text}' is no shape: DELAY-US LOSS MBIT QUEUE-US");
    }
}
