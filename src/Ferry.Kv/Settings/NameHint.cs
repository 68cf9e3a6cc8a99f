using Ferry.Kv.Text;

namespace Ferry.Kv.Settings;

/// <summary>The end of an error about an unknown name.</summary>
public static class NameHint
{
    /// <summary>" Did you mean X?", or nothing when no known name is near.</summary>
    public static string Of(string unknown, IEnumerable<string> known) =>
        NearestName.Find(unknown, known) is { } name ? $" Did you mean {name}?" : "";
}
