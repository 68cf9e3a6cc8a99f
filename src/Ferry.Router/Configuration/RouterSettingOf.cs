namespace Ferry.Router.Configuration;

/// <summary>A setting of one type.</summary>
/// <param name="Get">Reads the value out of the options.</param>
/// <param name="Set">Puts it in.</param>
/// <param name="Value">How its text is read, written and bounded.</param>
internal sealed record RouterSettingOf<T>(
    string Key, string Flag, string Text, bool IsReloadable, Func<RouterOptions, T> Get, Func<RouterOptions, T, RouterOptions> Set, SettingValue<T> Value)
    : RouterSetting(Key, Flag, Value.Name, Text, IsReloadable)
{
    private static readonly RouterOptions Defaults = new();

    public override string Default => Value.Format(Get(Defaults));

    public override string Format(RouterOptions options) => Value.Format(Get(options));

    public override string? TryApply(string text, RouterOptions options, out RouterOptions applied)
    {
        applied = options;
        if (!Value.TryParse(text, out var parsed))
        {
            return $"is '{text}'; it must be {Value.Expected}.";
        }
        applied = Set(options, parsed);
        return Check(applied);
    }

    public override string? Check(RouterOptions options) =>
        Value.IsInRange(Get(options)) ? null : $"is {Quoted(Value.Format(Get(options)))}; it must {Value.Range}.";

    private static string Quoted(string text) => text.Length == 0 || !char.IsAsciiDigit(text[^1]) || char.IsAsciiLetter(text[0]) ? $"'{text}'" : text;
}
