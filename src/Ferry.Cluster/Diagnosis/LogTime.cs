using System.Globalization;
using System.Text.RegularExpressions;

namespace Ferry.Cluster.Diagnosis;

/// <summary>The time at the head of a line, in the forms that the components write.</summary>
internal static partial class LogTime
{
    /// <summary>A prefix of worker, pod or container may stand before the time, but not more.</summary>
    public const int HeadChars = 120;

    /// <returns>The time as written, or null.</returns>
    public static string? Find(ReadOnlySpan<char> head)
    {
        foreach (var match in Form().EnumerateMatches(head[..Math.Min(head.Length, HeadChars)]))
        {
            return head.Slice(match.Index, match.Length).Trim("[]").ToString();
        }
        return null;
    }

    /// <summary>The moment that a found time means. What it leaves out is taken so that it is the last such moment before now.</summary>
    /// <param name="zone">Of a time that names none.</param>
    public static DateTimeOffset? TryInstant(string found, DateTimeOffset now, TimeZoneInfo zone)
    {
        if (found.Length == 17 && found[10] == '.' && decimal.TryParse(found, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            return DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        }
        var text = found.Replace(',', '.');
        if (text.Length > 10 && text[4] == '-')
        {
            var hasZone = text[^1] == 'Z' || text.AsSpan(10).IndexOfAny('+', '-') >= 0;
            return hasZone ? (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var told) ? told : null)
                : DateTime.TryParse(text, CultureInfo.InvariantCulture, out var bare) ? InZone(bare, zone) : null;
        }
        var today = TimeZoneInfo.ConvertTime(now, zone).DateTime;
        if (char.IsAsciiLetter(text[0])) { text = $"{text[1..3]}-{text[3..]}"; }   // klog's I0613 08:28:11.555796
        if (text[2] == ':')
        {
            return TimeOnly.TryParse(text, CultureInfo.InvariantCulture, out var clock) ? InZone(today.Date + clock.ToTimeSpan() is var at && at <= today + Ahead ? at : at.AddDays(-1), zone) : null;
        }
        // 29 February is none in most years.
        foreach (var year in (int[])[today.Year, today.Year - 1])
        {
            if (DateTime.TryParse(string.Create(CultureInfo.InvariantCulture, $"{year:0000}-{text}"), CultureInfo.InvariantCulture, out var dated) && dated <= today + Ahead)
            {
                return InZone(dated, zone);
            }
        }
        return null;
    }

    /// <summary>How far another clock may be ahead.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private static DateTimeOffset InZone(DateTime time, TimeZoneInfo zone)
    {
        var bare = DateTime.SpecifyKind(time, DateTimeKind.Unspecified);
        return new DateTimeOffset(bare, zone.GetUtcOffset(bare));
    }

    // In turn: ISO 8601 and LMCache's comma; vLLM's 10-16 17:22:56; Ferry's 17:22:56.123; UCX's seconds since 1970; klog's 0613 08:28:11.555796.
    [GeneratedRegex(
        @"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\b\d\d-\d\d \d\d:\d\d:\d\d\b|\[\d{10}\.\d{6}\]|\b[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6}|\b\d\d:\d\d:\d\d(?:[.,]\d{1,6})?",
        RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
