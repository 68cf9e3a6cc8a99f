using System.Globalization;
using Ferry.Kv.Text;

namespace Ferry.Kv.Settings;

/// <summary>The text that a setting was given, and its checked readings. A reading that fails adds an error and gives the fallback.</summary>
/// <param name="Place">Where it was read; empty when the name says it.</param>
public readonly record struct SettingValue(Setting Setting, string Text, string Place, FindingLog Findings)
{
    /// <summary>The setting's documented name.</summary>
    public string Name => Setting.Name;

    /// <summary>The text as it may be shown.</summary>
    public string Shown => Setting.IsSecret ? "***" : Setting.IsUrl ? WithoutUserInfo(Text) : Text;

    public void Error(string text) => Findings.Error(Name, Shown, text, Place);

    public void Warn(string text) => Findings.Warn(Name, Shown, text, Place);

    /// <summary>Takes effect, with a word on what it means here.</summary>
    public void Honour(string text) => Findings.Add(FindingKind.Honoured, Name, Shown, text, Place);

    public int Int(int minimum, int maximum, int fallback = 0)
    {
        if (TryNumber(Text, out var number) && number == Math.Floor(number) && number >= minimum && number <= maximum)
        {
            return (int)number;
        }
        Error($"{Name} is '{Shown}'; it must be a whole number in {minimum}..{maximum}.");
        return fallback;
    }

    public long Long(long minimum, long maximum, long fallback = 0)
    {
        if (long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }
        Error($"{Name} is '{Shown}'; it must be a whole number in {minimum}..{maximum}.");
        return fallback;
    }

    public double Real(double minimum, double maximum, double fallback = 0)
    {
        if (double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }
        Error($"{Name} is '{Shown}'; it must be a number in {minimum.ToString(CultureInfo.InvariantCulture)}..{maximum.ToString(CultureInfo.InvariantCulture)}.");
        return fallback;
    }

    /// <summary>A size with a unit, such as 4GiB or 500MB.</summary>
    /// <param name="bareUnit">What a number without a unit counts, in bytes: 1, or 2^30 where LMCache counts GiB.</param>
    public long Size(long bareUnit, long minimum, long maximum, long fallback = 0)
    {
        if (!ByteSize.TryParse(Text, bareUnit, out var bytes))
        {
            Error($"{Name} is '{Shown}'; it must be a number with a unit ({ByteSize.UnitList}), for example 4GiB{(bareUnit == 1 << 30 ? "; a bare number counts GiB" : "")}.");
            return fallback;
        }
        if (bytes < minimum || bytes > maximum)
        {
            Error($"{Name} is '{Shown}' ({ByteSize.Format(bytes)}); it must lie in {ByteSize.Format(minimum)}..{ByteSize.Format(maximum)}{(bareUnit == 1 && bytes < 1 << 20 ? ". Did you forget the unit, as in 4GiB?" : ".")}");
            return fallback;
        }
        return bytes;
    }

    /// <summary>A time with a unit, such as 500ms, 30s, 5m, 2h or 7d; a bare number counts seconds.</summary>
    public TimeSpan Duration(TimeSpan minimum, TimeSpan maximum, TimeSpan fallback)
    {
        if (!TryDuration(Text, out var duration) || duration < minimum || duration > maximum)
        {
            Error($"{Name} is '{Shown}'; it must be a time in {minimum}..{maximum}, for example 500ms, 30s, 5m, 2h or 7d.");
            return fallback;
        }
        return duration;
    }

    /// <summary>true, false, 1 or 0 in any case. LMCache reads every other word as false without a word; here it is an error.</summary>
    public bool Bool(bool fallback = false)
    {
        switch (Text.Trim().ToLowerInvariant())
        {
            case "true" or "1":
                return true;
            case "false" or "0":
                return false;
            default:
                Error($"{Name} is '{Shown}'; it must be true, false, 1 or 0 (LMCache would silently read it as false).");
                return fallback;
        }
    }

    /// <summary>One of a few words, compared without case; the word as listed.</summary>
    public string OneOf(params IReadOnlyList<string> words)
    {
        foreach (var word in words)
        {
            if (string.Equals(word, Text, StringComparison.OrdinalIgnoreCase))
            {
                return word;
            }
        }
        Error($"{Name} is '{Shown}'; it must be one of {string.Join(", ", words)}.{NameHint.Of(Text, words)}");
        return words[0];
    }

    private static string WithoutUserInfo(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = start < 3 ? -1 : url.IndexOf('@', start);
        var path = start < 3 ? -1 : url.IndexOf('/', start);
        return end < 0 || (path >= 0 && path < end) ? url : $"{url[..start]}***{url[end..]}";
    }

    /// <summary>vLLM's "human-readable integers": 8192, 8k (8000), 8K (8192), 1.5m and so on.</summary>
    private static bool TryNumber(string text, out double number)
    {
        var factor = text.Length == 0 ? 0 : text[^1] switch
        {
            'k' => 1e3,
            'm' => 1e6,
            'K' => 1024.0,
            'M' => 1024.0 * 1024,
            _ => 1.0,
        };
        var digits = factor == 1.0 || factor == 0 ? text : text[..^1];
        var parsed = double.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
        number *= factor == 0 ? 1 : factor;
        return parsed;
    }

    /// <summary>Reads a time with a unit: 500ms, 30s, 5m, 2h, 7d; a bare number counts seconds.</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var at = text.AsSpan().IndexOfAnyExcept(ByteSize.NumberCharacters);
        var (digits, unit) = at < 0 ? (text, "s") : (text[..at], text[at..].Trim());
        var ticks = unit switch
        {
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            "d" => TimeSpan.TicksPerDay,
            _ => 0,
        };
        if (ticks == 0 || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number * ticks > TimeSpan.MaxValue.Ticks / 2)
        {
            return false;
        }
        duration = TimeSpan.FromTicks((long)(number * ticks));
        return true;
    }
}
