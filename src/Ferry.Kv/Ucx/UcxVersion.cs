using System.Globalization;

namespace Ferry.Kv.Ucx;

/// <summary>A release of UCX. Minor releases add transports and change wire formats; the third number never does.</summary>
public readonly record struct UcxVersion(int Major, int Minor) : IComparable<UcxVersion>
{
    /// <summary>Oldest release whose names are in the tables here (Debian 12 ships it).</summary>
    public static UcxVersion Oldest { get; } = new(1, 13);

    /// <summary>Newest release whose names are in the tables here.</summary>
    public static UcxVersion Newest { get; } = new(1, 22);

    public static bool operator <(UcxVersion left, UcxVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(UcxVersion left, UcxVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(UcxVersion left, UcxVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(UcxVersion left, UcxVersion right) => left.CompareTo(right) >= 0;

    public int CompareTo(UcxVersion other) => Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);

    /// <summary>Reads <c>1.19</c>, <c>1.19.0</c> or <c>1.13.1-rc1</c>; null for anything else.</summary>
    public static UcxVersion? TryParse(string? text)
    {
        var parts = text?.Split('.') ?? [];
        return parts.Length is 2 or 3 && TryNumber(parts[0], out var major) && TryNumber(parts[1], out var minor)
            ? new UcxVersion(major, minor)
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= 999;
}
