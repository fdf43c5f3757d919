using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Logging;

/// <summary>One category's logger. The level is filtered by the factory.</summary>
internal sealed class LineLogger(LineLoggerProvider owner, string category) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        owner.Write(logLevel, category, formatter(state, exception), exception);
}
