using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EdgeMesh.Kube;

/// <summary>
/// YAML text to documents, event by event (no reflection, no object graph of the library). Plain scalars get the type that
/// kubectl gives them (YAML 1.1: <c>yes</c> and <c>on</c> are booleans), so a name that must be quoted there must be quoted here.
/// Anchors, aliases and merge keys work; a key written twice is a fault.
/// </summary>
internal sealed class YamlReader
{
    // A Kubernetes object nests about ten deep; the limit keeps a hostile file off the stack.
    private const int MaxDepth = 64;

    private readonly Scanner scanner;
    private readonly Parser parser;
    private readonly Dictionary<AnchorName, Datum> anchors = [];

    private YamlReader(TextReader text)
    {
        scanner = new Scanner(text, skipComments: true);
        parser = new Parser(scanner);
    }

    /// <summary>The documents of a file in order; empty documents are left out.</summary>
    /// <exception cref="DocumentException">The text is not YAML.</exception>
    public static IEnumerable<Datum> Read(Stream utf8)
    {
        using StreamReader text = new(utf8, new UTF8Encoding(false, throwOnInvalidBytes: true), true, 4096, leaveOpen: true);
        YamlReader reader = new(text);
        while (reader.NextDocument() is Datum document)
        {
            if (document.Kind != DatumKind.Null)
            {
                yield return document;
            }
        }
    }

    private Datum? NextDocument()
    {
        try
        {
            Move();
            while (parser.Current is StreamStart or DocumentEnd)
            {
                Move();
            }

            if (parser.Current is not DocumentStart)
            {
                return null;
            }

            anchors.Clear();
            Move();
            return ReadValue(0);
        }
        catch (YamlException fault)
        {
            // Some complaints of the scanner (tabs) come without their place.
            int line = fault.End.Index > 0 ? Math.Max(LineOf(fault.Start), LineOf(fault.End)) : LineOf(scanner.CurrentPosition);
            throw new DocumentException(line, $"not YAML: {Reason(fault)}");
        }
        catch (DecoderFallbackException)
        {
            throw new DocumentException(LineOf(scanner.CurrentPosition), "not UTF-8 text");
        }
        catch (Exception fault) when (fault is not (DocumentException or IOException))
        {
            // The scanner answers some malformed texts with exceptions that are no YamlException.
            throw new DocumentException(LineOf(scanner.CurrentPosition), $"not YAML: {fault.Message}");
        }
    }

    private int Line => LineOf(parser.Current!.Start);

    private static int LineOf(Mark mark) => (int)Math.Clamp(mark.Line, 1, int.MaxValue);

    // The library opens some messages with the position, which the problem already has.
    private static string Reason(YamlException fault)
    {
        string text = fault.InnerException is YamlException inner ? inner.Message : fault.Message;
        int end = text.StartsWith("(Line: ", StringComparison.Ordinal) ? text.IndexOf("): ", StringComparison.Ordinal) : -1;
        return (end < 0 ? text : text[(end + 3)..]).ReplaceLineEndings(" ").Trim();
    }

    private void Move() => parser.MoveNext();

    // Enters on the first event of a value and leaves on its last.
    private Datum ReadValue(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new DocumentException(Line, $"nested more than {MaxDepth} deep");
        }

        switch (parser.Current)
        {
            case AnchorAlias alias:
                return anchors.TryGetValue(alias.Value, out Datum? known)
                    ? known
                    : throw new DocumentException(Line, $"alias *{alias.Value} has no anchor before it");
            case Scalar scalar:
                return Remember(scalar, Datum.Scalar(KindOf(scalar), Line, scalar.Value));
            case SequenceStart start:
                return Remember(start, ReadList(depth));
            case MappingStart start:
                return Remember(start, ReadMap(depth));
            default:
                throw new DocumentException(parser.Current is null ? 1 : Line, "not YAML: a value was expected");
        }
    }

    private Datum Remember(NodeEvent node, Datum value)
    {
        if (!node.Anchor.IsEmpty)
        {
            anchors[node.Anchor] = value;
        }

        return value;
    }

    private Datum ReadList(int depth)
    {
        int line = Line;
        List<Datum> items = [];
        for (Move(); parser.Current is not SequenceEnd; Move())
        {
            items.Add(ReadValue(depth + 1));
        }

        return Datum.List(line, items);
    }

    private Datum ReadMap(int depth)
    {
        int line = Line;
        List<DatumField> fields = [];
        HashSet<string> names = [];
        List<Datum> merged = [];
        for (Move(); parser.Current is not MappingEnd; Move())
        {
            if (parser.Current is not Scalar key)
            {
                throw new DocumentException(Line, "a key must be a plain name");
            }

            string name = key.Value;
            bool isMerge = name == "<<" && key.Style == ScalarStyle.Plain;
            if (!isMerge && !names.Add(name))
            {
                throw new DocumentException(Line, $"key \"{name}\" stands twice in one map");
            }

            Move();
            Datum value = ReadValue(depth + 1);
            if (isMerge)
            {
                merged.Add(value);
            }
            else
            {
                fields.Add(new DatumField(name, value));
            }
        }

        foreach (Datum value in merged)
        {
            Merge(value, fields, names);
        }

        return Datum.Map(line, fields);
    }

    // Own keys win over merged ones, earlier merged ones over later.
    private static void Merge(Datum value, List<DatumField> fields, HashSet<string> names)
    {
        IReadOnlyList<Datum> maps = value.Kind == DatumKind.List ? value.Items : [value];
        foreach (Datum map in maps)
        {
            if (map.Kind != DatumKind.Map)
            {
                throw new DocumentException(value.Line, "<< merges maps only");
            }

            foreach (DatumField field in map.Fields)
            {
                if (names.Add(field.Name))
                {
                    fields.Add(field);
                }
            }
        }
    }

    private static DatumKind KindOf(Scalar scalar)
    {
        string tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
        if (tag == "tag:yaml.org,2002:str" || scalar.Style != ScalarStyle.Plain)
        {
            return DatumKind.String;
        }

        return scalar.Value switch
        {
            "" or "~" or "null" or "Null" or "NULL" => DatumKind.Null,
            "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" => DatumKind.Bool,
            "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => DatumKind.Bool,
            string text => IsNumber(text) ? DatumKind.Number : DatumKind.String,
        };
    }

    private static bool IsNumber(string text)
    {
        ReadOnlySpan<char> rest = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        if (rest.IsEmpty || !(char.IsAsciiDigit(rest[0]) || rest[0] == '.'))
        {
            return false;
        }

        return rest.StartsWith("0x", StringComparison.Ordinal)
            ? IsHex(rest[2..])
            : double.TryParse(rest, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out _);
    }

    private static bool IsHex(ReadOnlySpan<char> digits)
    {
        foreach (char digit in digits)
        {
            if (!char.IsAsciiHexDigit(digit))
            {
                return false;
            }
        }

        return !digits.IsEmpty;
    }
}
