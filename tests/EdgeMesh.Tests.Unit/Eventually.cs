using System.Runtime.CompilerServices;

namespace EdgeMesh.Tests.Unit;

/// <summary>Waits for what another thread brings about, and fails with the condition's text instead of hanging.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static Task HoldsAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        HoldsAsync(() => Task.FromResult(condition()), what);

    public static async Task HoldsAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        using CancellationTokenSource late = new(Patience);
        while (!await condition())
        {
            Assert.False(late.IsCancellationRequested, $"not within {Patience.TotalSeconds} s: {what}");
            await Task.Delay(1, CancellationToken.None);
        }
    }
}
