namespace EdgeMesh.App.Settings;

internal enum SettingKind
{
    Text,
    List,
    Switch,
}

/// <summary>One option of a verb: <c>--name</c> on the command line, <c>name:</c> in the YAML file of <c>--config</c>.</summary>
/// <param name="Name">Without dashes; a dot stands for nesting in the file.</param>
/// <param name="Kind">One value, many (given again, or a YAML list), or none.</param>
/// <param name="ValueName">How help names the value.</param>
/// <param name="Help">One line.</param>
internal sealed record Setting(string Name, SettingKind Kind, string ValueName, string Help)
{
    public string Flag => "--" + Name;

    public static Setting Text(string name, string valueName, string help) => new(name, SettingKind.Text, valueName, help);

    public static Setting List(string name, string valueName, string help) => new(name, SettingKind.List, valueName, help);

    public static Setting Switch(string name, string help) => new(name, SettingKind.Switch, "", help);
}
