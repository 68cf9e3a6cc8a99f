using System.Globalization;

namespace Ferry.Kv.Text;

/// <summary>Sizes as people write them: 4GiB, 500MB, 1.5 TiB, 4096.</summary>
public static class ByteSize
{
    public const string UnitList = "B, KiB, MiB, GiB, TiB, or KB, MB, GB, TB of powers of 1000";

    private static readonly (string Name, long Bytes)[] Units =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1),
    ];

    /// <param name="bareUnit">What a number without a unit counts, in bytes.</param>
    public static bool TryParse(string text, long bareUnit, out long bytes)
    {
        bytes = 0;
        var trimmed = text.Trim();
        var at = trimmed.AsSpan().IndexOfAnyExcept("0123456789.");
        var unit = bareUnit;
        if (at >= 0)
        {
            var name = trimmed[at..].Trim();
            unit = Array.Find(Units, known => string.Equals(known.Name, name, StringComparison.OrdinalIgnoreCase)).Bytes;
        }
        var digits = at < 0 ? trimmed : trimmed[..at];
        if (unit == 0 || !decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > long.MaxValue / unit)
        {
            return false;
        }
        bytes = (long)(number * unit);
        return true;
    }

    /// <summary>In the largest unit of powers of 1024 that gives at least 1, with at most two decimals.</summary>
    public static string Format(long bytes)
    {
        foreach (var (name, unit) in Units[..4])
        {
            if (bytes >= unit)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / unit:0.##} {name}");
            }
        }
        return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
    }
}
