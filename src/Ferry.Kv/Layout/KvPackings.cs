namespace Ferry.Kv.Layout;

/// <summary>Names of the packings in text.</summary>
public static class KvPackings
{
    /// <summary>Every packing by the name that <see cref="Name"/> gives it.</summary>
    public static IReadOnlyDictionary<string, KvPacking> ByName { get; } =
        Enum.GetValues<KvPacking>().ToDictionary(packing => packing.Name(), StringComparer.Ordinal);

    /// <summary>The name in text forms; the number for a value that is none of ours.</summary>
    public static string Name(this KvPacking packing) => packing switch
    {
        KvPacking.Split => "split",
        KvPacking.Halves => "halves",
        KvPacking.Interleaved => "interleaved",
        _ => ((int)packing).ToString(),
    };
}
