namespace EdgeMesh.App.Settings;

/// <summary>What the user wrote for one option.</summary>
/// <param name="Texts">The values, in their order.</param>
/// <param name="Origin">Where it was written, as errors name it: <c>--listen</c> or <c>edge.yaml:3: listen</c>.</param>
internal sealed record SettingValue(IReadOnlyList<string> Texts, string Origin);
