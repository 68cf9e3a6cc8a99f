using System.Globalization;

namespace Ferry.Cluster.Lint.Ucx;

/// <summary>A size as UCX writes it: <c>64k</c>, <c>8K</c>, <c>1m</c>, <c>65536</c>, <c>1024b</c>.</summary>
internal static class UcxSize
{
    /// <summary>Bytes; null for words (<c>inf</c>, <c>auto</c>) and for what is no size.</summary>
    public static long? TryParse(string? text)
    {
        if (string.IsNullOrEmpty(text)) { return null; }
        var digits = text.AsSpan().TrimEnd("bB");
        var shift = digits.Length == 0 ? 0 : char.ToLowerInvariant(digits[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (shift > 0) { digits = digits[..^1]; }
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 1L << 32 ? number << shift : null;
    }
}
