namespace Ferry.Cache.Remote.Settings;

/// <summary>One value of a configuration file.</summary>
/// <param name="Key">Dotted path.</param>
/// <param name="Text">Null: the file says null, or nothing behind the colon.</param>
/// <param name="Place"><c>file:line:column</c> of the value.</param>
public sealed record YamlEntry(string Key, string? Text, string Place);
