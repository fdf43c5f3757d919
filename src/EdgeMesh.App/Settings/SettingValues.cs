using System.Globalization;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.App.Settings;

/// <summary>
/// What was given for a verb, flags over file. The typed readers turn text into values once, here at the edge; each fault
/// names where it was written, what was written and what belongs there.
/// </summary>
internal sealed class SettingValues(IReadOnlyDictionary<string, SettingValue> given)
{
    public static SettingValues Merge(
        IReadOnlyDictionary<string, SettingValue> file, IReadOnlyDictionary<string, SettingValue> flags)
    {
        Dictionary<string, SettingValue> merged = new(file, StringComparer.Ordinal);
        foreach ((string name, SettingValue value) in flags)
        {
            merged[name] = value;
        }

        return new SettingValues(merged);
    }

    public bool Has(Setting setting) => given.ContainsKey(setting.Name);

    public string? Text(Setting setting) => given.TryGetValue(setting.Name, out SettingValue? value) ? value.Texts[^1] : null;

    public IReadOnlyList<string> List(Setting setting) =>
        given.TryGetValue(setting.Name, out SettingValue? value) ? value.Texts : [];

    /// <summary>Where it was written: its flag, or <c>FILE:LINE: name</c>.</summary>
    public string OriginOf(Setting setting) => given.TryGetValue(setting.Name, out SettingValue? value) ? value.Origin : setting.Flag;

    public string Required(Setting setting, string example) => Text(setting) is { Length: > 0 } text
        ? text
        : throw new MeshException(
            MeshExit.Usage,
            $"option {setting.Flag} is missing: give {setting.Flag} {example}, or '{setting.Name}: {example}' in the --config file");

    public bool Switch(Setting setting) => Text(setting) switch
    {
        null => false,
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        string other => throw Fault(setting, other, "true or false"),
    };

    /// <summary>Like <see cref="Switch"/>, for options that are on unless switched off.</summary>
    public bool OnUnlessOff(Setting setting) => !Has(setting) || Switch(setting);

    public int Int(Setting setting, int otherwise, int min, int max)
    {
        if (Text(setting) is not { } text)
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max
            ? value
            : throw Fault(setting, text, $"a number from {min} to {max}");
    }

    public T OneOf<T>(Setting setting, T otherwise, params ReadOnlySpan<(string Text, T Value)> choices)
    {
        if (Text(setting) is not { } text)
        {
            return otherwise;
        }

        List<string> names = [];
        foreach ((string name, T value) in choices)
        {
            if (name == text)
            {
                return value;
            }

            names.Add(name);
        }

        throw Fault(setting, text, "one of " + string.Join(", ", names));
    }

    public TimeSpan Duration(Setting setting, TimeSpan otherwise) => Text(setting) switch
    {
        null => otherwise,
        string text when DurationText.TryParse(text, out TimeSpan value) => value,
        string text => throw Fault(setting, text, "a time such as 90s, 30m, 24h or 7d"),
    };

    /// <summary>Bytes a second; null where nothing is given, or <c>off</c>.</summary>
    public long? Rate(Setting setting) => Text(setting) switch
    {
        null or "off" => null,
        string text when RateText.TryParse(text, out long value) => value,
        string text => throw Fault(setting, text, "a rate of at least 8kbit such as 500kbit, 20Mbit or 1.5Gbit, or off"),
    };

    public long ByteCount(Setting setting, long otherwise, long min, long max) => Text(setting) switch
    {
        null => otherwise,
        string text when ByteCountText.TryParse(text, out long value) && value >= min && value <= max => value,
        string text => throw Fault(setting, text, $"an amount such as 512KiB or 64MB, from {min >> 10}KiB to {max >> 20}MiB"),
    };

    public NodeName Node(Setting setting, string text) => NodeName.TryParse(text, out NodeName name)
        ? name
        : throw Fault(setting, text, "a node name: lower-case letters, digits, '-' and '.', at most 253 characters");

    public IReadOnlyList<IPEndPoint> EndPoints(Setting setting, IPAddress anyHost, int defaultPort)
    {
        List<IPEndPoint> found = [];
        foreach (string text in List(setting))
        {
            found.Add(EndPointText.TryParse(text, anyHost, defaultPort, out IPEndPoint? endPoint)
                ? endPoint
                : throw Fault(setting, text, $"ADDRESS:PORT or :PORT, such as 127.0.0.1:{defaultPort}"));
        }

        return found;
    }

    public IReadOnlyList<IPNetwork> Networks(Setting setting)
    {
        List<IPNetwork> found = [];
        foreach (string text in List(setting))
        {
            found.Add(IPNetwork.TryParse(text, out IPNetwork network) ? network
                : EndPointText.IsAddress(text, out IPAddress? one) ? new IPNetwork(one, one.GetAddressBytes().Length * 8)
                : throw Fault(setting, text, "a network such as 10.96.0.0/12"));
        }

        return found;
    }

    public IReadOnlyList<string> Hosts(Setting setting)
    {
        foreach (string text in List(setting))
        {
            if (!EndPointText.IsHostAndPort(text))
            {
                throw Fault(setting, text, "HOST or HOST:PORT, such as mesh.example.org:20006 (an IPv6 address in brackets)");
            }
        }

        return List(setting);
    }

    public MeshException Fault(Setting setting, string text, string wanted, Exception? inner = null) =>
        new(MeshExit.Usage, $"{OriginOf(setting)} is '{text}', but must be {wanted}", inner);
}
