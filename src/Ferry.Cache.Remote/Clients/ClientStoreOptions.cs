namespace Ferry.Cache.Remote.Clients;

/// <summary>Bounds and choices of a <see cref="ClientStore"/>.</summary>
public sealed record ClientStoreOptions
{
    public ConvertMode Convert { get; init; } = ConvertMode.On;

    /// <summary>Longest value, with its header. Anything real is shorter: a 405B model's chunk is 126 MiB in one shard.</summary>
    public int RecordBytesMax { get; init; } = 1 << 30;

    /// <summary>Bytes of values whose metadata has not come yet, and never more than a quarter of the memory; only a single value may be larger.</summary>
    public long PendingBytesMax { get; init; } = 256L << 20;

    /// <summary>Halves of pairs that wait for the other, values and metadata together.</summary>
    public int PendingMax { get; init; } = 4096;

    /// <summary>How long half a pair waits. LMCache sends the other half at once: what takes longer was broken off.</summary>
    public TimeSpan PendingTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes of converted shards that are kept as records, so that a rank which asks again is not converted for again; 0 keeps none.</summary>
    public long KeptConvertedBytesMax { get; init; }

    /// <summary>Every error at once, each with the name, the value, the limit and the way out; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (!Enum.IsDefined(Convert)) { errors.Add($"clients.convert is {Convert}; it must be on, off or log."); }
        if (RecordBytesMax < Kv.Records.KvRecord.HeaderBytes)
        {
            errors.Add($"clients.recordBytesMax is {RecordBytesMax}; it must be at least {Kv.Records.KvRecord.HeaderBytes}, a record's header.");
        }
        if (PendingBytesMax < 0) { errors.Add($"clients.pendingBytesMax is {PendingBytesMax}; it must not be negative."); }
        if (PendingMax < 1) { errors.Add($"clients.pendingMax is {PendingMax}; it must be at least 1."); }
        if (PendingTimeout < TimeSpan.FromMilliseconds(100) || PendingTimeout > TimeSpan.FromHours(1))
        {
            errors.Add($"clients.pendingTimeout is {PendingTimeout}; it must lie between 100 ms and an hour.");
        }
        if (KeptConvertedBytesMax < 0) { errors.Add($"clients.keptConvertedBytesMax is {KeptConvertedBytesMax}; 0 keeps none."); }
        return errors;
    }
}
