using System.Globalization;
using System.Text;

namespace EdgeMesh.App.Ops;

/// <summary>
/// The smallest useful part of HTTP/1.1 (RFC 9112): one GET per connection, no body, a bounded head. For metrics scrapers
/// and kubelet probes; a web server would cost more memory than the agent's rooms together.
/// </summary>
internal sealed class HttpPages(Func<string, HttpAnswer?> page)
{
    private const int MaxHead = 8192;

    public async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        byte[] head = new byte[MaxHead];
        int length = 0;
        HttpAnswer answer;
        while (true)
        {
            int read = length == head.Length ? -1 : await stream.ReadAsync(head.AsMemory(length), stop).ConfigureAwait(false);
            if (read == 0)
            {
                return;
            }

            if (read < 0)
            {
                answer = HttpAnswer.Error(431, "request head too long\n");
                break;
            }

            // Scrapers send their head in one piece; looking again from a little before the new part is enough.
            int from = Math.Max(0, length - 3);
            length += read;
            if (head.AsSpan(from, length - from).IndexOf("\r\n\r\n"u8) >= 0)
            {
                answer = Answer(head.AsSpan(0, length));
                break;
            }
        }

        byte[] body = Encoding.UTF8.GetBytes(answer.Body);
        byte[] top = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {answer.Status} {Reason(answer.Status)}\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(top, stop).ConfigureAwait(false);
        await stream.WriteAsync(body, stop).ConfigureAwait(false);
    }

    private HttpAnswer Answer(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> line = head[..head.IndexOf("\r\n"u8)];
        int methodEnd = line.IndexOf((byte)' ');
        int targetEnd = line.LastIndexOf((byte)' ');
        if (methodEnd <= 0 || targetEnd <= methodEnd || !line[(targetEnd + 1)..].StartsWith("HTTP/1."u8))
        {
            return HttpAnswer.Error(400, "not an HTTP/1.1 request\n");
        }

        if (!line[..methodEnd].SequenceEqual("GET"u8))
        {
            return HttpAnswer.Error(405, "only GET\n");
        }

        ReadOnlySpan<byte> target = line[(methodEnd + 1)..targetEnd];
        int query = target.IndexOf((byte)'?');
        string path = Encoding.ASCII.GetString(query < 0 ? target : target[..query]);
        return page(path) ?? HttpAnswer.Error(404, "pages: /metrics /healthz /readyz\n");
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    };
}
