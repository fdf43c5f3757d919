using System.Buffers;
using System.Text.Json;
using EdgeMesh.Model;

namespace EdgeMesh.App.Ops;

/// <summary>Writes one line of an operator answer: a JSON object.</summary>
internal delegate Task OperatorReply(byte[] json, CancellationToken stop);

/// <summary>Server side of the operator socket: one JSON line in, one or more JSON lines out, then the end.</summary>
internal sealed class OperatorSocket(Func<OperatorRequest, OperatorReply, CancellationToken, Task> answer)
{
    private const int MaxRequest = 4096;

    public async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        OperatorReply reply = async (json, token) =>
        {
            await stream.WriteAsync(json, token).ConfigureAwait(false);
            await stream.WriteAsync("\n"u8.ToArray(), token).ConfigureAwait(false);
        };

        try
        {
            OperatorRequest request = await ReadAsync(stream, stop).ConfigureAwait(false);
            await answer(request, reply, stop).ConfigureAwait(false);
        }
        catch (MeshException e)
        {
            OperatorFault fault = new(new OperatorFaultBody((int)e.Exit, e.Message));
            await reply(JsonSerializer.SerializeToUtf8Bytes(fault, OpsJson.Default.OperatorFault), stop).ConfigureAwait(false);
        }
    }

    private static async Task<OperatorRequest> ReadAsync(Stream stream, CancellationToken stop)
    {
        byte[] buffer = new byte[MaxRequest];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), stop).ConfigureAwait(false);
            length += read;
            int end = buffer.AsSpan(0, length).IndexOf((byte)'\n');
            if (end >= 0 || read == 0)
            {
                return Parse(buffer.AsSpan(0, end >= 0 ? end : length));
            }
        }

        throw new MeshException(MeshExit.Usage, $"a request is one JSON line of at most {MaxRequest} bytes");
    }

    private static OperatorRequest Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, OpsJson.Default.OperatorRequest) is { Verb.Length: > 0 } request
                ? request
                : throw new MeshException(MeshExit.Usage, "the request names no verb");
        }
        catch (JsonException e)
        {
            throw new MeshException(MeshExit.Usage, "the request is not a JSON line like {\"verb\":\"status\"}", e);
        }
    }
}
