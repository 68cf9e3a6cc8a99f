using System.Globalization;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Reading;

/// <summary>Rates as people write them: 50GB/s, 1.5 GiB/s, 400Gbit/s; a lower-case b means bits (100Gb/s).</summary>
public static class RateText
{
    private const string PerSecond = "/s";

    public static bool TryParse(string text, out long bytesPerSecond)
    {
        var amount = text.Trim();
        amount = amount.EndsWith(PerSecond, StringComparison.Ordinal) ? amount[..^PerSecond.Length].TrimEnd()
            : amount.EndsWith("ps", StringComparison.Ordinal) ? amount[..^2] : amount;
        var isBits = amount.EndsWith("bit", StringComparison.OrdinalIgnoreCase);
        if (!isBits && amount.EndsWith('b'))
        {
            (isBits, amount) = (true, amount + "it");
        }
        if (!ByteSize.TryParse(isBits ? amount[..^3] + "B" : amount, 1, out var number))
        {
            bytesPerSecond = 0;
            return false;
        }
        bytesPerSecond = isBits ? number / 8 : number;
        return true;
    }

    /// <summary>In powers of 1000, as networks and memories are sold.</summary>
    public static string Format(double bytesPerSecond)
    {
        foreach (var (unit, factor) in ((string, double)[])[("TB/s", 1e12), ("GB/s", 1e9), ("MB/s", 1e6), ("KB/s", 1e3)])
        {
            if (bytesPerSecond >= factor)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond / factor:0.##} {unit}");
            }
        }
        return string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond:0.##} B/s");
    }
}
