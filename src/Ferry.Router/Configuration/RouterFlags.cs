namespace Ferry.Router.Configuration;

/// <summary>The flags of <c>ferry route</c>, one a setting.</summary>
public static class RouterFlags
{
    public static IReadOnlyList<(string Flag, string ValueName, string Default, string Text)> All { get; } =
        [.. RouterSettings.All.Select(setting => (setting.Flag, setting.ValueName, setting.Default, setting.Text))];
}
