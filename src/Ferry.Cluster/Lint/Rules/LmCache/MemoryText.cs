using System.Globalization;

namespace Ferry.Cluster.Lint.Rules.LmCache;

/// <summary>Sizes as docker (<c>64g</c>) and Kubernetes (<c>64Gi</c>, <c>64G</c>) write them.</summary>
internal static class MemoryText
{
    /// <summary>Bytes, or null for a text that is no size.</summary>
    public static long? TryBytes(string text)
    {
        var trimmed = text.Trim();
        var digits = 0;
        while (digits < trimmed.Length && (char.IsAsciiDigit(trimmed[digits]) || trimmed[digits] == '.')) { digits++; }
        if (!double.TryParse(trimmed.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) { return null; }
        double? unit = trimmed[digits..] switch
        {
            "" or "b" => 1,
            "k" or "kb" or "Ki" or "KiB" or "K" => 1L << 10,
            "m" or "mb" or "Mi" or "MiB" => 1L << 20,
            "g" or "gb" or "Gi" or "GiB" => 1L << 30,
            "t" or "tb" or "Ti" or "TiB" => 1L << 40,
            "M" or "MB" => 1e6,
            "G" or "GB" => 1e9,
            "T" or "TB" => 1e12,
            _ => null,
        };
        return unit is { } factor && number * factor < long.MaxValue ? (long)(number * factor) : null;
    }
}
