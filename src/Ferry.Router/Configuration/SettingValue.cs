using System.Globalization;
using Ferry.Kv.Text;

namespace Ferry.Router.Configuration;

/// <summary>The kinds of values.</summary>
internal static class SettingValue
{
    private static readonly (string Suffix, long Factor)[] ByteUnits = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("B", 1)];
    private static readonly (string Suffix, double Seconds)[] TimeUnits = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)];

    public static SettingValue<int> Integer(int minimum, int maximum) => new(
        "N", "a whole number", $"lie in {minimum}..{maximum}", (string text, out int value) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value),
        value => value.ToString(CultureInfo.InvariantCulture), value => value >= minimum && value <= maximum);

    public static SettingValue<double> Real(double minimum, double maximum) => new(
        "X", "a number", string.Create(CultureInfo.InvariantCulture, $"lie in {minimum}..{maximum}"),
        (string text, out double value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value),
        value => value.ToString(CultureInfo.InvariantCulture), value => value >= minimum && value <= maximum);

    public static SettingValue<bool> Switch() => new(
        "true|false", "true or false", "be true or false", (string text, out bool value) => bool.TryParse(text, out value), value => value ? "true" : "false", _ => true);

    /// <param name="what">"a path", "host:port"…</param>
    public static SettingValue<string> Text(string name, string what, Func<string, bool>? isGood = null) => new(
        name, what, $"be {what}", (string text, out string value) => (value = text) is not null, value => value, value => isGood is null || isGood(value));

    /// <summary>One of some names.</summary>
    /// <param name="names">Asked each time, so that what is registered later counts, too.</param>
    public static SettingValue<string> OneOf(string name, Func<IEnumerable<string>> names) => new(
        name, $"one of {Listed(names())}", $"be one of {Listed(names())}",
        (string text, out string value) => (value = text) is not null, value => value, value => names().Contains(value, StringComparer.Ordinal));

    /// <summary>A length: a number of bytes, or one with KiB, MiB or GiB.</summary>
    public static SettingValue<long> Bytes(long minimum, long maximum) => new(
        "BYTES", "a number of bytes, for example 1048576 or 256MiB", $"lie in {minimum}..{maximum}", TryBytes, FormatBytes, value => value >= minimum && value <= maximum);

    /// <summary>A time: a number of seconds, or one with ms, s, m or h.</summary>
    public static SettingValue<TimeSpan> Time(double minimumSeconds, double maximumSeconds) => new(
        "TIME", "a time, for example 500ms, 30s or 5m", string.Create(CultureInfo.InvariantCulture, $"lie in {minimumSeconds}..{maximumSeconds} seconds"),
        TryTime, FormatTime, value => value.TotalSeconds >= minimumSeconds && value.TotalSeconds <= maximumSeconds);

    /// <summary>": did you mean …?" for a name that is not known, or nothing.</summary>
    public static string Hint(string name, IEnumerable<string> known) => NearestName.Find(name, known) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names);

    private static bool TryBytes(string text, out long value)
    {
        foreach (var (suffix, factor) in ByteUnits)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                var isNumber = double.TryParse(text[..^suffix.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count);
                value = isNumber && count * factor < long.MaxValue ? (long)(count * factor) : 0;
                return isNumber && count * factor < long.MaxValue;
            }
        }
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    private static string FormatBytes(long value) => value switch
    {
        > 0 when value % (1L << 30) == 0 => $"{value >> 30}GiB",
        > 0 when value % (1L << 20) == 0 => $"{value >> 20}MiB",
        > 0 when value % (1L << 10) == 0 => $"{value >> 10}KiB",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    private static bool TryTime(string text, out TimeSpan value)
    {
        var (number, unit) = (text, 1d);
        foreach (var (suffix, seconds) in TimeUnits)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                (number, unit) = (text[..^suffix.Length].TrimEnd(), seconds);
                break;
            }
        }
        var isTime = double.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count)
            && Math.Abs(count * unit) < 1e9;
        value = isTime ? TimeSpan.FromSeconds(count * unit) : default;
        return isTime;
    }

    private static string FormatTime(TimeSpan value) => value.TotalSeconds switch
    {
        0 => "0s",
        var seconds when seconds % 60 == 0 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m"),
        var seconds when seconds % 1 == 0 => string.Create(CultureInfo.InvariantCulture, $"{seconds}s"),
        var seconds => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.###}ms"),
    };
}
