namespace Ferry.Cluster.Observed;

/// <summary>How LMCache converts a value.</summary>
internal enum LmCacheType
{
    Text,
    Whole,
    Number,

    /// <summary>Only <c>true</c> and <c>1</c> are true; every other text is false.</summary>
    Truth,

    /// <summary>Comma separated, or a YAML list.</summary>
    List,

    /// <summary>JSON in a variable, a mapping in YAML.</summary>
    Map,
}
