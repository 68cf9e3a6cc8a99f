namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>Whether records bypass the system's page cache.</summary>
/// <param name="WhyNot">Null when they do.</param>
public sealed record DirectIo(string? WhyNot)
{
    public static DirectIo Used { get; } = new((string?)null);

    public bool IsUsed => WhyNot is null;

    public override string ToString() => WhyNot is null ? "direct" : $"buffered ({WhyNot})";
}
