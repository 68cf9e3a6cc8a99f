namespace Ferry.Router.Configuration;

/// <summary>How values of one type are read, written and bounded.</summary>
/// <param name="Name">In help: N, SECONDS…</param>
/// <param name="Expected">"it must be …", when the text cannot be read.</param>
/// <param name="Range">"it must …", when the value is out of bounds.</param>
internal sealed record SettingValue<T>(string Name, string Expected, string Range, SettingValue<T>.Parser TryParse, Func<T, string> Format, Func<T, bool> IsInRange)
{
    public delegate bool Parser(string text, out T value);
}
