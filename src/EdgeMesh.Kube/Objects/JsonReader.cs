using System.Buffers;
using System.Text;
using System.Text.Json;

namespace EdgeMesh.Kube;

/// <summary>
/// One JSON value to a <see cref="Datum"/>. <c>managedFields</c> and <c>annotations</c>, most of the bytes of an API object, and the parts
/// of a Node that change with every heartbeat or list its images are skipped without a string being made of them.
/// </summary>
internal ref struct JsonReader
{
    private const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> text;
    private readonly StringPool pool;
    private readonly bool countLines;
    private Utf8JsonReader reader;
    private int line = 1;
    private int counted;

    private JsonReader(ReadOnlySpan<byte> text, StringPool pool, bool countLines)
    {
        this.text = text;
        this.pool = pool;
        this.countLines = countLines;
        reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>Reads a text that is exactly one JSON value.</summary>
    /// <param name="utf8">The text; a byte order mark is accepted.</param>
    /// <param name="pool">Shares the strings.</param>
    /// <param name="countLines">False for API answers, whose lines help nobody.</param>
    /// <exception cref="DocumentException">The text is not JSON.</exception>
    public static Datum Read(ReadOnlySpan<byte> utf8, StringPool pool, bool countLines)
    {
        JsonReader json = new(utf8.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8, pool, countLines);
        try
        {
            json.reader.Read();
            Datum value = json.ReadValue();
            json.reader.Read();
            return value;
        }
        catch (JsonException fault)
        {
            throw new DocumentException((int)(fault.LineNumber ?? 0) + 1, $"not JSON: {Reason(fault)}");
        }
        catch (InvalidOperationException)
        {
            // The reader's complaint about a string that is not UTF-8 or holds half a surrogate pair.
            throw new DocumentException(json.Line(), "not JSON: a string is not valid text");
        }
    }

    private static string Reason(JsonException fault)
    {
        int end = fault.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? fault.Message : fault.Message[..end];
    }

    private int Line()
    {
        if (!countLines)
        {
            return 0;
        }

        int at = (int)reader.TokenStartIndex;
        line += text[counted..at].Count((byte)'\n');
        counted = at;
        return line;
    }

    private Datum ReadValue()
    {
        int at = Line();
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadMap(at);
            case JsonTokenType.StartArray:
                List<Datum> items = [];
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadValue());
                }

                return Datum.List(at, items);
            case JsonTokenType.String:
                return Datum.Scalar(DatumKind.String, at, ReadText());
            case JsonTokenType.Number:
                return Datum.Scalar(DatumKind.Number, at, Encoding.UTF8.GetString(reader.ValueSpan));
            case JsonTokenType.True:
                return Datum.Scalar(DatumKind.Bool, at, "true");
            case JsonTokenType.False:
                return Datum.Scalar(DatumKind.Bool, at, "false");
            default:
                return Datum.Empty;
        }
    }

    private Datum ReadMap(int at)
    {
        List<DatumField> fields = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IsSkipped())
            {
                reader.Skip();
                continue;
            }

            // Conditions of a Node or Service are a list and of no use here; those of an endpoint are a map.
            bool isConditions = reader.ValueTextEquals("conditions"u8);
            string name = ReadText();
            reader.Read();
            if (isConditions && reader.TokenType == JsonTokenType.StartArray)
            {
                reader.Skip();
                continue;
            }

            fields.Add(new DatumField(name, ReadValue()));
        }

        return Datum.Map(at, fields);
    }

    private readonly bool IsSkipped() =>
        reader.ValueTextEquals("managedFields"u8) || reader.ValueTextEquals("annotations"u8) || reader.ValueTextEquals("images"u8)
        || reader.ValueTextEquals("nodeInfo"u8) || reader.ValueTextEquals("capacity"u8) || reader.ValueTextEquals("allocatable"u8);

    private string ReadText()
    {
        int length = reader.ValueSpan.Length;
        char[]? rented = length > 256 ? ArrayPool<char>.Shared.Rent(length) : null;
        Span<char> chars = rented ?? stackalloc char[256];
        try
        {
            return pool.Share(chars[..reader.CopyString(chars)]);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented);
            }
        }
    }
}
