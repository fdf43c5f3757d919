using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Logging;

/// <summary>The process's logging: a factory for the rooms, and the flush at the end.</summary>
internal sealed class Logs : IAsyncDisposable
{
    private readonly LineLoggerProvider provider;
    private readonly LoggerFactory factory;

    public Logs(LogLevel level, LogFormat format, TimeProvider time)
    {
        provider = new LineLoggerProvider(Console.OpenStandardError(), format, time);
        LoggerFilterOptions filter = new() { MinLevel = level };
        if (level > LogLevel.Debug)
        {
            // The web server's own lines are of interest only to who debugs it.
            filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", LogLevel.Warning, null));
        }

        factory = new LoggerFactory([provider], filter);
    }

    public ILoggerFactory Factory => factory;

    public async ValueTask DisposeAsync()
    {
        await provider.DisposeAsync().ConfigureAwait(false);
        factory.Dispose();
    }
}
