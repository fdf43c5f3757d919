namespace EdgeMesh.Server.Relay;

/// <summary>
/// Max-min fair shares: who wants less than the level gets what it wants, all others get the level, and together they get the
/// capacity.
/// </summary>
internal static class WaterLevel
{
    /// <param name="demands">What each wants; sorted on return.</param>
    /// <param name="capacity">What there is.</param>
    /// <returns>The level; infinite when there is enough for all.</returns>
    public static double Of(Span<double> demands, double capacity)
    {
        demands.Sort();
        double left = capacity;
        for (int i = 0; i < demands.Length; i++)
        {
            double equal = left / (demands.Length - i);
            if (demands[i] > equal)
            {
                return equal;
            }

            left -= demands[i];
        }

        return double.PositiveInfinity;
    }
}
