using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace EdgeMesh.Lab;

/// <summary>What a request gets instead of an answer.</summary>
public sealed record FakeFault(int Status, string Body, int? RetryAfter = null, bool CutsInTheMiddle = false, bool Stalls = false)
{
    /// <summary>429 with Retry-After.</summary>
    public static FakeFault TooMany(int seconds) => new(429, """{"kind":"Status","code":429,"message":"too many requests"}""", seconds);

    public static FakeFault Gone { get; } = new(410, """{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}""");

    public static FakeFault Broken { get; } = new(500, """{"kind":"Status","code":500,"message":"etcdserver: request timed out"}""");

    public static FakeFault NotJson { get; } = new(200, "<html>a captive portal</html>");

    public static FakeFault Cut { get; } = new(200, """{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"na""", CutsInTheMiddle: true);

    internal async Task AnswerAsync(HttpContext context, CancellationToken stop)
    {
        if (Stalls)
        {
            await Task.Delay(Timeout.Infinite, stop);
        }

        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        if (RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await context.Response.WriteAsync(Body, stop);
        await context.Response.Body.FlushAsync(stop);
        if (CutsInTheMiddle)
        {
            context.Abort();
        }
    }
}
