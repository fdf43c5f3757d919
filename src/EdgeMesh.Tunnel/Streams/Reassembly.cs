using System.Buffers;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>
/// Puts the fragments of large datagrams of one flow together. A few messages at a time, the oldest is given up for a new
/// one: a lost fragment costs its datagram and no more.
/// </summary>
internal sealed class Reassembly : IDisposable
{
    private const int MaxMessages = 4;
    private const int MaxBytes = 65_507;

    private readonly List<Message> messages = [];

    /// <summary>The whole datagram once its last piece has come; valid until the next call.</summary>
    public ReadOnlySpan<byte> Add(in FlowDatagram piece)
    {
        Message? message = Find(piece.Message);
        if (message is null || message.Count != piece.Count)
        {
            message = Begin(piece);
        }

        if (message.Pieces[piece.Index] is not null || message.Length + piece.Payload.Length > MaxBytes)
        {
            return default;
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent(Math.Max(1, piece.Payload.Length));
        piece.Payload.CopyTo(copy);
        message.Pieces[piece.Index] = copy;
        message.Lengths[piece.Index] = piece.Payload.Length;
        message.Length += piece.Payload.Length;
        message.Missing--;
        if (message.Missing > 0)
        {
            return default;
        }

        byte[] whole = new byte[message.Length];
        int at = 0;
        for (int i = 0; i < message.Count; i++)
        {
            message.Pieces[i].AsSpan(0, message.Lengths[i]).CopyTo(whole.AsSpan(at));
            at += message.Lengths[i];
        }

        messages.Remove(message);
        message.Return();
        return whole;
    }

    public void Dispose()
    {
        foreach (Message message in messages)
        {
            message.Return();
        }

        messages.Clear();
    }

    private Message? Find(ushort id)
    {
        foreach (Message message in messages)
        {
            if (message.Id == id)
            {
                return message;
            }
        }

        return null;
    }

    private Message Begin(in FlowDatagram piece)
    {
        if (Find(piece.Message) is { } stale)
        {
            messages.Remove(stale);
            stale.Return();
        }
        else if (messages.Count == MaxMessages)
        {
            messages[0].Return();
            messages.RemoveAt(0);
        }

        Message message = new(piece.Message, piece.Count);
        messages.Add(message);
        return message;
    }

    private sealed class Message(ushort id, byte count)
    {
        public readonly ushort Id = id;
        public readonly byte Count = count;
        public readonly byte[]?[] Pieces = new byte[]?[count];
        public readonly int[] Lengths = new int[count];
        public int Missing = count;
        public int Length;

        public void Return()
        {
            foreach (byte[]? piece in Pieces)
            {
                if (piece is not null)
                {
                    ArrayPool<byte>.Shared.Return(piece);
                }
            }
        }
    }
}
