namespace Ferry.Kv.Settings;

/// <summary>One name that a command knows, with what it does: the single source of parsing, help, report and reference page.</summary>
/// <param name="Name">The flag with its dashes, the environment name, or the key.</param>
/// <param name="Value">What stands behind the name in the help ("N", "on|off"); empty for a switch.</param>
/// <param name="Default">In words.</param>
/// <param name="Text">What it does here, or why it has no effect.</param>
public abstract record Setting(string Name, string Value, string Default, string Text)
{
    /// <summary>Other spellings.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Its place in a configuration file, dotted; empty for none.</summary>
    public string Key { get; init; } = "";

    /// <summary>Its value appears nowhere.</summary>
    public bool IsSecret { get; init; }

    /// <summary>A URL: user name and password in it appear nowhere.</summary>
    public bool IsUrl { get; init; }

    /// <summary>A flag that takes every value up to the next flag.</summary>
    public bool TakesMany { get; init; }

    /// <summary>Known, but a process that was given it must not start as if nothing were said.</summary>
    public bool IsRefused { get; init; }

    /// <summary>False: known and accepted, answered by a warning with <see cref="Text"/>.</summary>
    public abstract bool HasEffect { get; }

    /// <summary>A flag without a value; false is spelt <c>--no-…</c>.</summary>
    public bool IsSwitch => Name.StartsWith('-') && Value.Length == 0;

    /// <summary>The name and every other spelling.</summary>
    public IEnumerable<string> Names => Aliases.Prepend(Name);
}
