using System.Globalization;

namespace Ferry.Serving.Options;

/// <summary>The text that a setting was given, and its checked readings. A reading that fails adds an error and gives the fallback.</summary>
/// <param name="Name">The setting's documented name.</param>
public readonly record struct SettingValue(string Name, string Text, ServeDraft Draft)
{
    public void Error(string text) => Draft.Add(FindingKind.Error, Name, Text, text);

    public void Warn(string text) => Draft.Add(FindingKind.Warning, Name, Text, text);

    public int Int(int minimum, int maximum, int fallback = 0)
    {
        if (TryNumber(Text, out var number) && number == Math.Floor(number) && number >= minimum && number <= maximum)
        {
            return (int)number;
        }
        Error($"{Name} is '{Text}'; it must be a whole number in {minimum}..{maximum}.");
        return fallback;
    }

    public long Long(long minimum, long maximum, long fallback = 0)
    {
        if (long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }
        Error($"{Name} is '{Text}'; it must be a whole number in {minimum}..{maximum}.");
        return fallback;
    }

    public double Real(double minimum, double maximum, double fallback = 0)
    {
        if (double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }
        Error($"{Name} is '{Text}'; it must be a number in {minimum.ToString(CultureInfo.InvariantCulture)}..{maximum.ToString(CultureInfo.InvariantCulture)}.");
        return fallback;
    }

    /// <summary>GiB to bytes.</summary>
    public long GibiBytes(double maximumGiB) => (long)(Real(0, maximumGiB) * (1L << 30));

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
                Error($"{Name} is '{Text}'; it must be true, false, 1 or 0 (LMCache would silently read it as false).");
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
        Error($"{Name} is '{Text}'; it must be one of {string.Join(", ", words)}.{NameHint.Of(Text, words)}");
        return words[0];
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
}
