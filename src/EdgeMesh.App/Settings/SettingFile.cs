using EdgeMesh.Model;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace EdgeMesh.App.Settings;

/// <summary>
/// Reads a <c>--config</c> file: one YAML mapping whose keys are option names. <c>dns.listen: X</c> and
/// <c>dns: { listen: X }</c> mean the same.
/// </summary>
internal static class SettingFile
{
    // A configuration is a page; what is longer is another file given by mistake.
    private const int MaxBytes = 1 << 20;

    public static IReadOnlyDictionary<string, SettingValue> Load(string path, IReadOnlyList<Setting> known)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new MeshException(MeshExit.Usage, $"--config {path}: longer than 1 MiB, so not a configuration; give the right file");
            }

            return Parse(File.ReadAllText(path), path, known);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Usage, $"--config {path}: cannot be read ({e.Message}); give a readable YAML file", e);
        }
    }

    public static IReadOnlyDictionary<string, SettingValue> Parse(string text, string path, IReadOnlyList<Setting> known)
    {
        Dictionary<string, SettingValue> values = new(StringComparer.Ordinal);
        YamlStream stream = [];
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new MeshException(MeshExit.Usage, $"{path}:{e.Start.Line}: not YAML: {Plain(e.Message)}", e);
        }

        if (stream.Documents.Count > 1)
        {
            throw Fault(path, stream.Documents[1].RootNode, "a second YAML document; a configuration is one");
        }

        if (stream.Documents.Count == 1)
        {
            switch (stream.Documents[0].RootNode)
            {
                case YamlMappingNode root:
                    Read(root, "", path, known, values, depth: 0);
                    break;
                case YamlScalarNode { Value: null or "" }:
                    break;
                case YamlNode other:
                    throw Fault(path, other, "expected 'option: value' lines");
            }
        }

        return values;
    }

    private static void Read(
        YamlMappingNode mapping, string prefix, string path, IReadOnlyList<Setting> known, Dictionary<string, SettingValue> values, int depth)
    {
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string key = prefix + ((keyNode as YamlScalarNode)?.Value ?? throw Fault(path, keyNode, "a key must be a plain word"));
            Setting? setting = known.FirstOrDefault(s => s.Name == key);
            if (setting is null && value is YamlMappingNode inner && depth < 4
                && known.Any(s => s.Name.StartsWith(key + ".", StringComparison.Ordinal)))
            {
                Read(inner, key + ".", path, known, values, depth + 1);
                continue;
            }

            if (setting is null)
            {
                throw Fault(path, keyNode, $"unknown key '{key}'{Nearest.Hint(key, known.Select(s => s.Name))}");
            }

            SettingValue found = new(Texts(setting, value, path), $"{path}:{keyNode.Start.Line}: {key}");
            if (!values.TryAdd(key, found))
            {
                throw Fault(path, keyNode, $"key '{key}' stands twice; keep one");
            }
        }
    }

    private static List<string> Texts(Setting setting, YamlNode value, string path)
    {
        switch (value)
        {
            case YamlScalarNode { Value: { Length: > 0 } text }:
                return [text];
            case YamlSequenceNode list when setting.Kind == SettingKind.List:
                List<string> texts = [];
                foreach (YamlNode item in list.Children)
                {
                    texts.Add((item as YamlScalarNode)?.Value
                        ?? throw Fault(path, item, $"each value of '{setting.Name}' must be plain text"));
                }

                return texts.Count > 0 ? texts : throw Fault(path, value, $"'{setting.Name}' has no value; remove it or give {setting.ValueName}");
            case YamlScalarNode { Style: not ScalarStyle.Plain }:
                return [""];
            default:
                string wanted = setting.Kind switch
                {
                    SettingKind.Switch => "true or false",
                    SettingKind.List => $"{setting.ValueName} or a list of them",
                    _ => $"one value ({setting.ValueName})",
                };
                throw Fault(path, value, $"'{setting.Name}' must be {wanted}");
        }
    }

    private static MeshException Fault(string path, YamlNode at, string what) => new(MeshExit.Usage, $"{path}:{at.Start.Line}: {what}");

    // The library puts "(Line: 3, Col: 1, Idx: 20) - (…): " in front; our line starts with the place already.
    private static string Plain(string message)
    {
        int end = message.LastIndexOf("): ", StringComparison.Ordinal);
        return (end >= 0 ? message[(end + 3)..] : message).ReplaceLineEndings(" ");
    }
}
