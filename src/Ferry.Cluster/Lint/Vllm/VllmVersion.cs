using System.Globalization;
using System.Text.RegularExpressions;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>A version of vLLM, as an image's tag says it.</summary>
internal readonly partial record struct VllmVersion(int Major, int Minor) : IComparable<VllmVersion>
{
    public static bool operator <(VllmVersion left, VllmVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(VllmVersion left, VllmVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(VllmVersion left, VllmVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(VllmVersion left, VllmVersion right) => left.CompareTo(right) >= 0;

    public int CompareTo(VllmVersion other) => Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);

    /// <summary>The version that the image of an engine names, or null: no tag, <c>latest</c>, a tag that says something else.</summary>
    public static VllmVersion? Of(ObservedProcess engine) =>
        engine.Container?.Image is { HasUnknown: false } image ? OfImage(image.Value) : null;

    /// <summary><c>rocm/vllm:v0.20.0</c> is 0.20; only images whose name holds vllm are asked.</summary>
    public static VllmVersion? OfImage(string image)
    {
        var match = ImageVersion().Match(image);
        return match.Success && image.Contains("vllm", StringComparison.OrdinalIgnoreCase)
            ? new VllmVersion(Number(match, "major"), Number(match, "minor"))
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    // "v0.20.0", "0.20", "vllm0.20.0"; a tag such as rocm6.4 or 1.22.0 of something else before it is not taken: vLLM's major is 0 (Gaudi's images have tags such as 1.22.0 of their own).
    [GeneratedRegex(@":(?:[a-z0-9._-]*?(?:vllm[-_]?|_))?v?(?<major>0)\.(?<minor>\d{1,3})(?:\.\d{1,3})?(?![\d.]*\d)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ImageVersion();
}
