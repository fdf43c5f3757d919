using System.Globalization;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// One map of a document, read field by field. A missing or null field is null; a field of the wrong kind or out of range is
/// reported once and then null, so that one reading reports every fault.
/// </summary>
/// <param name="Map">The map; anything else was reported by whoever handed it out and reads as empty.</param>
/// <param name="Path">Its place in the object, for the reports.</param>
/// <param name="Mapping">Collects the reports.</param>
internal readonly record struct Fields(Datum Map, string Path, Mapping Mapping)
{
    public string? Text(string name)
    {
        Datum value = Map[name];
        switch (value.Kind)
        {
            case DatumKind.Null:
                return null;
            case DatumKind.String:
                return Mapping.Pool.Share(value.Text);
            case DatumKind.Bool or DatumKind.Number:
                Fault(name, $"must be a string, not {value.Describe()}: put it in quotes");
                return null;
            default:
                Fault(name, $"must be a string, not {value.Describe()}");
                return null;
        }
    }

    public int? Number(string name, int min, int max)
    {
        Datum value = Map[name];
        if (value.Kind == DatumKind.Null)
        {
            return null;
        }

        if (value.Kind == DatumKind.Number
            && int.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            && number >= min && number <= max)
        {
            return number;
        }

        Fault(name, $"must be a number from {min} to {max}, not {value.Describe()}");
        return null;
    }

    public bool? Flag(string name)
    {
        Datum value = Map[name];
        switch (value.Kind)
        {
            case DatumKind.Null:
                return null;
            case DatumKind.Bool:
                return value.Text[0] is 't' or 'T' or 'y' or 'Y' || value.Text is "on" or "On" or "ON";
            default:
                Fault(name, $"must be true or false, not {value.Describe()}");
                return null;
        }
    }

    /// <summary>One of a few words; null for none and, after a report, for any other.</summary>
    public T? Word<T>(string name, ReadOnlySpan<(string Word, T Value)> words)
        where T : struct
    {
        if (Text(name) is not { Length: > 0 } text)
        {
            return null;
        }

        foreach ((string word, T value) in words)
        {
            if (word == text)
            {
                return value;
            }
        }

        List<string> known = [];
        foreach ((string word, _) in words)
        {
            known.Add(word);
        }

        Fault(name, $"must be {string.Join(" or ", known)}, not \"{text}\"");
        return null;
    }

    public Fields Inner(string name, string path)
    {
        Datum value = Map[name];
        if (value.Kind is not (DatumKind.Map or DatumKind.Null))
        {
            Fault(name, $"must be a map, not {value.Describe()}");
        }

        return new Fields(value, path, Mapping);
    }

    public IReadOnlyList<Datum> Items(string name)
    {
        Datum value = Map[name];
        if (value.Kind is not (DatumKind.List or DatumKind.Null))
        {
            Fault(name, $"must be a list, not {value.Describe()}");
        }

        return value.Items;
    }

    /// <summary>The maps of a list, each with its own fields.</summary>
    public IEnumerable<Fields> Maps(string name, string path)
    {
        foreach (Datum item in Items(name))
        {
            if (item.Kind == DatumKind.Map)
            {
                yield return new Fields(item, path, Mapping);
            }
            else
            {
                Mapping.Fault(item.Line, $"{path} must be a map, not {item.Describe()}");
            }
        }
    }

    /// <summary>The strings of a list, each with its line.</summary>
    public IEnumerable<(string Text, int Line)> Texts(string name)
    {
        foreach (Datum item in Items(name))
        {
            if (item.Kind == DatumKind.String)
            {
                yield return (item.Text, item.Line);
            }
            else
            {
                Mapping.Fault(item.Line, $"{PathOf(name)} must hold strings, not {item.Describe()}");
            }
        }
    }

    public IEnumerable<IPAddress> Addresses(string name)
    {
        foreach ((string text, int line) in Texts(name))
        {
            if (AddressText.TryParse(text, out IPAddress address))
            {
                yield return address;
            }
            else
            {
                Mapping.Fault(line, $"{PathOf(name)}: \"{text}\" is not an IP address");
            }
        }
    }

    public IEnumerable<IPNetwork> Networks(string name)
    {
        foreach ((string text, int line) in Texts(name))
        {
            if (AddressText.TryParseNetwork(text, out IPNetwork network))
            {
                yield return network;
            }
            else
            {
                Mapping.Fault(line, $"{PathOf(name)}: \"{text}\" is not a network (address/prefix)");
            }
        }
    }

    public NodeName? NodeName(string name)
    {
        if (Text(name) is not { Length: > 0 } text)
        {
            return null;
        }

        if (Model.NodeName.TryParse(text, out NodeName node))
        {
            return node;
        }

        Fault(name, $"\"{text}\" is not a node name: lower-case letters, digits, '-' and '.'");
        return null;
    }

    public TransportProtocol Protocol() =>
        Word("protocol", [("TCP", TransportProtocol.Tcp), ("UDP", TransportProtocol.Udp), ("SCTP", TransportProtocol.Sctp)])
        ?? TransportProtocol.Tcp;

    public void Fault(string name, string reason) => Mapping.Fault(LineOf(name), $"{PathOf(name)} {reason}");

    public void Warn(string name, string reason) => Mapping.Warn(LineOf(name), $"{PathOf(name)} {reason}");

    private string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    private int LineOf(string name) => Map[name].Line is > 0 and int line ? line : Map.Line;
}
