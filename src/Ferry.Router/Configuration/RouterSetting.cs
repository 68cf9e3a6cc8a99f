namespace Ferry.Router.Configuration;

/// <summary>One scalar setting: its key in router.yaml, its flag, its default and what it does. The documentation is printed from these.</summary>
/// <param name="Key">Path in the file, for example <c>admission.maxInFlight</c>.</param>
/// <param name="Flag">On the command line, for example <c>--max-in-flight</c>.</param>
/// <param name="ValueName">What stands behind the flag in help: N, SECONDS, NAME…</param>
/// <param name="IsReloadable">False: a reload that changes it is refused, because it takes effect only at start.</param>
internal abstract record RouterSetting(string Key, string Flag, string ValueName, string Text, bool IsReloadable)
{
    /// <summary>The default as the documentation writes it.</summary>
    public abstract string Default { get; }

    /// <summary>The value as the file would write it.</summary>
    public abstract string Format(RouterOptions options);

    /// <summary>Sets it. Null, or what is wrong with the text, as the end of a sentence that begins with the setting's name.</summary>
    public abstract string? TryApply(string text, RouterOptions options, out RouterOptions applied);

    /// <summary>Null, or what is wrong with the value in <paramref name="options"/>.</summary>
    public abstract string? Check(RouterOptions options);
}
