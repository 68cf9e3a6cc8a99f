namespace Ferry.Cache.Remote.Directory;

/// <summary>A directory as a tier: on this machine, or one that several nodes mount (CephFS, NFS).</summary>
public sealed record DirectoryTierOptions
{
    /// <summary>Absolute; made when the first record is written.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes of all records together, whoever wrote them; null for no limit. Beyond it the records least recently used go.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>A record that nobody read for this long is a miss and is deleted; null to keep records until there is no room.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>
    /// True: a record is on the medium before it gets its name, so that a power failure leaves it whole or leaves nothing. False is quicker;
    /// what a power failure tears is found by its checksum and dropped.
    /// </summary>
    public bool FlushToDisk { get; init; }

    /// <summary>Files that one walk looks at. A directory with more is measured in part and says so.</summary>
    public int ScanFilesMax { get; init; } = 1_000_000;

    /// <summary>Every error at once; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (!System.IO.Path.IsPathFullyQualified(Path))
        {
            errors.Add($"cache.shared.path is \"{Path}\"; it must be absolute, or each process would look for it elsewhere.");
        }
        if (CapacityBytes is < 1)
        {
            errors.Add($"cache.shared.capacityBytes is {CapacityBytes}; it must be at least 1. Leave it out for no limit.");
        }
        if (ExpireAfter is { } after && after < TimeSpan.FromSeconds(1))
        {
            errors.Add($"cache.shared.expireAfter is {after}; it must be a second or more. Leave it out to keep records.");
        }
        if (ScanFilesMax < 1)
        {
            errors.Add($"cache.shared.scanFilesMax is {ScanFilesMax}; it must be at least 1.");
        }
        return errors;
    }
}
