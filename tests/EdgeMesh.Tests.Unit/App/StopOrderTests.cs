using EdgeMesh.App.Host;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.App;

public class StopOrderTests
{
    private readonly List<string> stopped = [];

    [Fact]
    public async Task StopsInTheOppositeOrder()
    {
        await using (StopOrder parts = new(NullLogger.Instance))
        {
            foreach (string name in new[] { "tunnel", "proxy", "dns" })
            {
                parts.Add(name, new Part(() => stopped.Add(name)), TimeSpan.FromMinutes(1));
            }
        }

        Assert.Equal(["dns", "proxy", "tunnel"], stopped);
    }

    [Fact]
    public async Task OnePartThatFailsOrHangsDoesNotKeepTheOthersUp()
    {
        TaskCompletionSource never = new();
        await using (StopOrder parts = new(NullLogger.Instance))
        {
            parts.Add("first", new Part(() => stopped.Add("first")), TimeSpan.FromMinutes(1));
            parts.Add("hangs", new Part(() => stopped.Add("hangs"), never.Task), TimeSpan.FromMilliseconds(1));
            parts.Add("fails", new Part(() => throw new InvalidOperationException("no")), TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["hangs", "first"], stopped);
    }

    private sealed class Part(Action stop, Task? then = null) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            stop();
            await (then ?? Task.CompletedTask);
        }
    }
}
