using System.Buffers;
using System.Text.Json;

namespace EdgeMesh.Kube;

/// <summary>Takes one item of a list; the bytes are valid during the call.</summary>
internal delegate void ItemReceiver(ReadOnlySpan<byte> json);

/// <summary>
/// Reads a list as it comes and hands over one item after the other: never more than one item is held. <c>metadata</c> may stand
/// before or after <c>items</c>.
/// </summary>
internal sealed class ListReader(ItemReceiver onItem)
{
    /// <summary>etcd holds no object above 1.5 MB.</summary>
    private const int MaxItem = 8 << 20;

    private enum Part
    {
        Other,
        Items,
        Metadata,
    }

    private JsonReaderState state = new(new JsonReaderOptions { MaxDepth = 64 });
    private Part part;
    private int captureFrom = -1;
    private int position;
    private ListHead head = new(false, "", "", "");
    private bool isOver;

    /// <exception cref="ApiException">It is no list, breaks off, or has an item beyond all bounds.</exception>
    public async Task<ListHead> ReadAsync(Stream stream, CancellationToken stop)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        int end = 0;
        try
        {
            while (true)
            {
                int count = await stream.ReadAsync(buffer.AsMemory(end), stop).ConfigureAwait(false);
                end += count;
                Take(buffer.AsSpan(0, end), isFinal: count == 0);
                if (count == 0)
                {
                    return isOver ? head : throw new ApiException(0, "the list breaks off");
                }

                int keep = captureFrom >= 0 ? captureFrom : position;
                buffer.AsSpan(keep, end - keep).CopyTo(buffer);
                end -= keep;
                position -= keep;
                captureFrom = captureFrom >= 0 ? 0 : -1;
                if (end == buffer.Length)
                {
                    if (end > MaxItem)
                    {
                        throw new ApiException(0, $"an item of the list is longer than {MaxItem >> 20} MB");
                    }

                    byte[] larger = ArrayPool<byte>.Shared.Rent(2 * end);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }
        }
        catch (JsonException fault)
        {
            throw new ApiException(0, $"the list is not JSON: {fault.Message}");
        }
        catch (DocumentException fault)
        {
            throw new ApiException(0, $"the list is not JSON: {fault.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Take(ReadOnlySpan<byte> text, bool isFinal)
    {
        int from = position;
        Utf8JsonReader reader = new(text[from..], isFinal, state);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                    part = reader.ValueTextEquals("items"u8) ? Part.Items : reader.ValueTextEquals("metadata"u8) ? Part.Metadata : Part.Other;
                    break;
                case JsonTokenType.StartObject when reader.CurrentDepth == DepthOf(part):
                    captureFrom = from + (int)reader.TokenStartIndex;
                    break;
                case JsonTokenType.EndObject when captureFrom >= 0 && reader.CurrentDepth == DepthOf(part):
                    Hand(text[captureFrom..(from + (int)reader.BytesConsumed)]);
                    captureFrom = -1;
                    break;
                case JsonTokenType.EndObject when reader.CurrentDepth == 0:
                    isOver = true;
                    break;
            }
        }

        position = from + (int)reader.BytesConsumed;
        state = reader.CurrentState;
    }

    private static int DepthOf(Part part) => part switch { Part.Items => 2, Part.Metadata => 1, _ => -1 };

    private void Hand(ReadOnlySpan<byte> json)
    {
        if (part == Part.Items)
        {
            onItem(json);
            return;
        }

        Datum metadata = JsonReader.Read(json, new StringPool(16), countLines: false);
        head = new ListHead(true, metadata["resourceVersion"].Text, metadata["continue"].Text, metadata["selfLink"].Text);
    }
}
