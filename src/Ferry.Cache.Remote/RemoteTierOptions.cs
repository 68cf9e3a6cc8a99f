namespace Ferry.Cache.Remote;

/// <summary>What every shared tier takes.</summary>
public sealed record RemoteTierOptions
{
    /// <summary>Bytes of all records in it, whoever wrote them; null for no limit.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>Whether a record must be on the medium before it counts as stored.</summary>
    public bool FlushToDisk { get; init; }
}
