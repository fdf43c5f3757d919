using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>Log lines of all parts with time and node, in the test's output.</summary>
internal sealed class TestLogs(string who, ITestOutputHelper output) : ILoggerFactory, ILogger
{
    private static readonly long Began = Stopwatch.GetTimestamp();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            output.WriteLine($"{Stopwatch.GetElapsedTime(Began).TotalSeconds:0.000} {who} {logLevel}: {formatter(state, exception)} {exception}");
        }
        catch (InvalidOperationException)
        {
            // The test is over; something still stops.
        }
    }

    public void Dispose()
    {
    }
}
