using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>Messages over the control stream of one connection: whole ones in, queued ones out. In the loop only.</summary>
internal sealed class ControlChannel(QuicStream stream, PeerConnection owner) : IStreamHandler
{
    private byte[] input = [];
    private int inputLength;
    private byte[] output = [];
    private bool isBroken;

    public delegate int Writer(Span<byte> target);

    /// <summary>Writes one message; what the stream has no room for waits.</summary>
    public void Send(Writer write)
    {
        Span<byte> message = stackalloc byte[ControlMessage.MaxLength];
        int length = write(message);
        output = [.. output, .. message[..length]];
        Flush();
    }

    void IStreamHandler.OnData(QuicStream s, ReadOnlySpan<byte> data, bool fin)
    {
        s.Consume(data.Length);
        if (isBroken)
        {
            return;
        }

        // Control messages are few and small: they need no pooled buffer.
        input = inputLength == 0 ? data.ToArray() : [.. input.AsSpan(0, inputLength), .. data];
        ReadOnlySpan<byte> rest = input;
        while (ControlMessage.TryTake(ref rest, out ControlType type, out ReadOnlySpan<byte> body))
        {
            owner.OnControl(type, body);
        }

        isBroken = ControlMessage.IsBroken(rest) || fin;
        if (isBroken)
        {
            owner.OnControlBroken();
            return;
        }

        input = rest.ToArray();
        inputLength = input.Length;
    }

    void IStreamHandler.OnWritable(QuicStream s) => Flush();

    void IStreamHandler.OnReset(QuicStream s, ulong code) => owner.OnControlBroken();

    void IStreamHandler.OnStopSending(QuicStream s, ulong code) => owner.OnControlBroken();

    void IStreamHandler.OnClosed(QuicStream s) => isBroken = true;

    private void Flush()
    {
        if (output.Length > 0 && !isBroken)
        {
            output = output[stream.Write(output)..];
        }
    }
}
