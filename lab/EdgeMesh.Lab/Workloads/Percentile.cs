namespace EdgeMesh.Lab.Workloads;

internal static class Percentile
{
    /// <param name="ordered">In ascending order.</param>
    /// <param name="percent">0–100.</param>
    public static double Of(double[] ordered, double percent) =>
        ordered.Length == 0 ? 0 : Math.Round(ordered[Math.Min(ordered.Length - 1, (int)(ordered.Length * percent / 100))], 3);
}
