using System.CommandLine;

namespace EdgeMesh.App.Settings;

/// <summary>The options of one verb on the command line; reads what was given there and in the <c>--config</c> file.</summary>
internal sealed class SettingReader
{
    private readonly IReadOnlyList<Setting> settings;
    private readonly List<(Setting Setting, Option Option)> options = [];
    private readonly Option<string?>? config;

    public SettingReader(Command command, IReadOnlyList<Setting> settings, bool hasFile)
    {
        this.settings = settings;
        foreach (Setting setting in settings)
        {
            Option option = setting.Kind switch
            {
                SettingKind.Text => new Option<string?>(setting.Flag) { Description = setting.Help, HelpName = setting.ValueName },
                SettingKind.List => new Option<string[]>(setting.Flag)
                {
                    Description = setting.Help,
                    HelpName = setting.ValueName,
                    Arity = ArgumentArity.OneOrMore,
                },
                _ => new Option<bool>(setting.Flag) { Description = setting.Help },
            };
            options.Add((setting, option));
            command.Options.Add(option);
        }

        if (hasFile)
        {
            config = new Option<string?>("--config") { Description = "YAML file with the same options; flags win.", HelpName = "FILE" };
            command.Options.Add(config);
        }
    }

    public SettingValues Read(ParseResult result)
    {
        Dictionary<string, SettingValue> flags = new(StringComparer.Ordinal);
        foreach ((Setting setting, Option option) in options)
        {
            if (result.GetResult(option) is not { Implicit: false } given)
            {
                continue;
            }

            List<string> texts = given.Tokens.Select(t => t.Value).ToList();
            if (setting.Kind == SettingKind.Switch && texts.Count == 0)
            {
                texts.Add("true");
            }

            flags[setting.Name] = new SettingValue(texts, setting.Flag);
        }

        string? path = config is null ? null : result.GetValue(config);
        return SettingValues.Merge(
            path is null ? new Dictionary<string, SettingValue>() : SettingFile.Load(path, settings), flags);
    }
}
