namespace Ferry.Cache.Records;

/// <summary>What becomes of a record that is there when another of the same key and layout is committed.</summary>
public enum PutMode
{
    /// <summary>The first stays and the second is dropped: keys that name their content, where both are equal.</summary>
    KeepFirst,

    /// <summary>The second takes its place at once, with no moment in which neither is there: keys that a client chose. All opaque records of a key are one.</summary>
    Replace,
}
