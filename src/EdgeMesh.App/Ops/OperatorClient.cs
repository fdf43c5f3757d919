using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EdgeMesh.Model;

namespace EdgeMesh.App.Ops;

/// <summary>The verbs' side of the operator socket of a running agent or server.</summary>
internal sealed class OperatorClient(string stateDirectory, string socketName, string role)
{
    /// <exception cref="MeshException">Nobody answers, or the answer is a fault.</exception>
    public async IAsyncEnumerable<string> AskAsync(OperatorRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await ConnectAsync(socket, stop).ConfigureAwait(false);
        await using NetworkStream stream = new(socket, ownsSocket: false);
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(request, OpsJson.Default.OperatorRequest), (byte)'\n'];
        await stream.WriteAsync(line, stop).ConfigureAwait(false);
        using StreamReader reader = new(stream);
        bool any = false;
        while (await reader.ReadLineAsync(stop).ConfigureAwait(false) is { } answer)
        {
            any = true;
            ThrowIfFault(answer);
            yield return answer;
        }

        if (!any)
        {
            throw new MeshException(MeshExit.Failed, $"the {role} ended the conversation without an answer: see its log");
        }
    }

    public async Task<string> AskOnceAsync(OperatorRequest request, CancellationToken stop)
    {
        await foreach (string line in AskAsync(request, stop).ConfigureAwait(false))
        {
            return line;
        }

        throw new InvalidOperationException("an answer has at least one line");
    }

    private static void ThrowIfFault(string answer)
    {
        // Only a fault has "error" as its first and only property.
        if (answer.StartsWith("{\"error\":{", StringComparison.Ordinal)
            && JsonSerializer.Deserialize(answer, OpsJson.Default.OperatorFault) is { Error: { } fault })
        {
            throw new MeshException((MeshExit)fault.Exit, fault.Message);
        }
    }

    private async Task ConnectAsync(Socket socket, CancellationToken stop)
    {
        string path = Path.Combine(stateDirectory, socketName);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop).ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new MeshException(MeshExit.Refused, $"{path} belongs to another user: run this as the user of the {role} (root)", e);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new MeshException(
                MeshExit.Unreachable, $"no {role} answers at {path}: is it running, and is --state-dir its state directory?", e);
        }
    }
}
