namespace Ferry.Cache.Records;

/// <summary>Bounds of a <see cref="RecordStore"/>.</summary>
public sealed record RecordStoreOptions
{
    /// <summary>Salts that may have a quota at one time; choosing what to evict looks at each.</summary>
    public int QuotasMax { get; init; } = 1024;

    /// <summary>Chunks that may be pinned by their key at one time.</summary>
    public int PinsMax { get; init; } = 65_536;

    /// <summary>Callers that may wait for room at one time; the next is refused at once.</summary>
    public int WaitersMax { get; init; } = 256;
}
