namespace EdgeMesh.Kube;

internal enum DatumKind : byte
{
    Null,
    Bool,
    Number,
    String,
    Map,
    List,
}

/// <summary>A field of a <see cref="Datum"/> of kind Map.</summary>
internal readonly record struct DatumField(string Name, Datum Value);

/// <summary>
/// A document between its text and the model: the form that YAML files, JSON files and API answers share, so that one mapper
/// reads them all. It lives for one object only. A scalar keeps its text and each part the line it stood on
/// (1-based; 0 where lines mean nothing, as in API answers).
/// </summary>
internal sealed class Datum
{
    public static readonly Datum Empty = new(DatumKind.Null, 0);

    private Datum(DatumKind kind, int line, string text = "", IReadOnlyList<DatumField>? fields = null, IReadOnlyList<Datum>? items = null)
    {
        Kind = kind;
        Line = line;
        Text = text;
        Fields = fields ?? [];
        Items = items ?? [];
    }

    public DatumKind Kind { get; }

    public int Line { get; }

    public string Text { get; }

    public IReadOnlyList<DatumField> Fields { get; }

    public IReadOnlyList<Datum> Items { get; }

    public static Datum Scalar(DatumKind kind, int line, string text) => new(kind, line, text);

    public static Datum Map(int line, IReadOnlyList<DatumField> fields) => new(DatumKind.Map, line, fields: fields);

    public static Datum List(int line, IReadOnlyList<Datum> items) => new(DatumKind.List, line, items: items);

    /// <summary>The value of a field; a missing one and an explicit null are both <see cref="Empty"/>, as the API reads them.</summary>
    public Datum this[string name]
    {
        get
        {
            for (int i = 0; i < Fields.Count; i++)
            {
                if (Fields[i].Name == name)
                {
                    return Fields[i].Value.Kind == DatumKind.Null ? Empty : Fields[i].Value;
                }
            }

            return Empty;
        }
    }

    public bool Has(string name)
    {
        for (int i = 0; i < Fields.Count; i++)
        {
            if (Fields[i].Name == name)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the reader of a fault wants to hear about a value of the wrong kind.</summary>
    public string Describe() => Kind switch
    {
        DatumKind.Null => "nothing",
        DatumKind.Map => "a map",
        DatumKind.List => "a list",
        DatumKind.String => $"\"{Shorten(Text)}\"",
        _ => Shorten(Text),
    };

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..77] + "...";
}
