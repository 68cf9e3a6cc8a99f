namespace Ferry.Serving.Options;

/// <summary>One name that Ferry knows, with what it does: the single source of parsing, help, report and docs/configuration.md.</summary>
/// <param name="Value">What stands behind the name in the help ("N", "on|off"); empty for a switch.</param>
/// <param name="Default">In words.</param>
/// <param name="Text">What it does here, or why it has no effect.</param>
/// <param name="Apply">Takes the value over. Null: known, accepted, without effect, answered by a warning with <paramref name="Text"/>.</param>
public sealed record Setting(SettingKind Kind, string Name, string Value, string Default, string Text, Action<ServeDraft, SettingValue>? Apply)
{
    /// <summary>Other spellings.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Its value appears nowhere.</summary>
    public bool IsSecret { get; init; }

    /// <summary>A flag that takes every value up to the next flag.</summary>
    public bool TakesMany { get; init; }

    /// <summary>A flag without a value; false is spelt <c>--no-…</c>.</summary>
    public bool IsSwitch => Kind == SettingKind.Flag && Value.Length == 0;

    /// <summary>Known, but a node that was given it must not start as if nothing were said.</summary>
    public bool IsRefused { get; init; }
}
