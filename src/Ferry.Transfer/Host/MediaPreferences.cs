namespace Ferry.Transfer.Host;

/// <summary>The words of <see cref="MediaPreference"/>.</summary>
public static class MediaPreferences
{
    /// <summary>The environment name that takes them.</summary>
    public const string Variable = "FERRY_TRANSFER";

    public static IReadOnlyList<string> Names { get; } = ["auto", "ucx", "managed"];

    /// <summary>Null for any other word.</summary>
    public static MediaPreference? TryParse(string text) => text switch
    {
        "auto" => MediaPreference.Auto,
        "ucx" => MediaPreference.Ucx,
        "managed" => MediaPreference.Managed,
        _ => null,
    };
}
