using System.Text;
using System.Text.Json;
using EdgeMesh.App.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tests.Unit.App;

public class LogLineTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 23, 10, 5, 6, 7, TimeSpan.Zero);

    [Fact]
    public void TextIsOneLine() => Assert.Equal(
        "2026-11-23T10:05:06.007Z warn  Tunnel: peer edge1 ⏎ 2026 is gone | IOException: broken\n",
        Line(LogFormat.Text, LogLevel.Warning, "peer edge1\n2026 is\u0007 gone", new IOException("broken")));

    [Fact]
    public void JsonIsOneObject()
    {
        string line = Line(LogFormat.Json, LogLevel.Information, "a \"quoted\"\nname", null);
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        using JsonDocument json = JsonDocument.Parse(line);
        Assert.Equal("info", json.RootElement.GetProperty("level").GetString());
        Assert.Equal("Tunnel", json.RootElement.GetProperty("room").GetString());
        Assert.Equal("a \"quoted\"\nname", json.RootElement.GetProperty("message").GetString());
        Assert.Equal(Time, json.RootElement.GetProperty("time").GetDateTimeOffset());
    }

    [Fact]
    public async Task AStalledReaderOfTheLogDoesNotStallTheWriter()
    {
        using StalledStream stalled = new();
        await using (LineLoggerProvider provider = new(stalled, LogFormat.Text, TimeProvider.System))
        {
            ILogger logger = provider.CreateLogger("EdgeMesh.Test");
            for (int i = 0; i < 10_000; i++)
            {
                logger.LogInformation("line {Number}", i);
            }

            stalled.Release();
        }

        string text = Encoding.UTF8.GetString(stalled.Written.ToArray());
        Assert.Contains("Test: line 0\n", text, StringComparison.Ordinal);
        Assert.Matches("warn  App: [0-9]+ log lines were dropped", text);
    }

    private static string Line(LogFormat format, LogLevel level, string message, Exception? error) =>
        Encoding.UTF8.GetString(LogLine.Format(format, Time, level, "Tunnel", message, error));

    private sealed class StalledStream : Stream
    {
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public MemoryStream Written { get; } = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Release() => released.SetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await released.Task.WaitAsync(cancellationToken);
            Written.Write(buffer.Span);
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
