using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache;

/// <summary>Memory and the tiers below it as one: reads go down tier by tier and come up into memory, writes go to memory at once and behind it to the tiers.</summary>
/// <remarks>Thread-safe. What a tier does wrong is a miss here (<see cref="GuardedTier"/>).</remarks>
public sealed class RecordCache : IAsyncDisposable
{
    private readonly List<(GuardedTier Tier, WriteBehind? Behind)> _tiers = [];
    private readonly SingleFlight<(KvKey Key, int FirstHead, int HeadCount)> _flights = new();
    private readonly RecordCacheOptions _options;

    /// <param name="memory">Owned from now on.</param>
    /// <param name="tiers">Nearest first; owned from now on.</param>
    public RecordCache(
        RecordStore memory, IEnumerable<IKvTier> tiers, RecordCacheOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        Memory = memory;
        _options = options;
        var behind = new WriteBehindOptions
        {
            QueueBytes = Math.Min(options.WriteBehindBytesMax, memory.Arena.CapacityBytes / 4),
            Writers = options.WritersPerTier,
            CloseDeadline = options.CloseDeadline,
        };
        foreach (var tier in tiers)
        {
            var guarded = new GuardedTier(tier, options.Guard, time, loggers.CreateLogger<GuardedTier>());
            _tiers.Add((guarded, tier.Capabilities.HasFlag(TierCapabilities.Put)
                ? new WriteBehind(guarded, behind, time, loggers.CreateLogger<WriteBehind>())
                : null));
        }
    }

    public RecordStore Memory { get; }

    public bool HasTiers => _tiers.Count > 0;

    /// <summary>Leases a chunk, from memory or brought up from the nearest tier that has it.</summary>
    /// <returns>Null on a miss.</returns>
    public async ValueTask<CacheHit?> TryGetAsync(KvKey key, ChunkQuery query, CancellationToken cancellationToken)
    {
        if (Memory.TryLease(key, query, out var lease))
        {
            return new CacheHit(lease, null);
        }
        foreach (var (tier, _) in _tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Read) && await TryBringUpAsync(tier, key, query, cancellationToken) is { } brought)
            {
                return new CacheHit(brought, tier);
            }
        }
        return null;
    }

    /// <summary>Queues a record of the memory for every tier that takes records. Never waits; a full queue drops it (counted).</summary>
    /// <param name="mode">The mode with which it was committed.</param>
    public void StoreBehind(RecordLease lease, PutMode mode = PutMode.KeepFirst)
    {
        foreach (var (_, behind) in _tiers)
        {
            behind?.TryEnqueue(lease.Duplicate(), mode);
        }
    }

    /// <summary>The tiers below memory, nearest first.</summary>
    public IReadOnlyList<GuardedTier> Tiers => _tiers.ConvertAll(tier => tier.Tier);

    /// <summary>Removes a chunk from memory and from every tier that can delete; what is on its way to one does not arrive.</summary>
    /// <returns>Records removed, each tier's counted.</returns>
    public async Task<int> RemoveAsync(KvKey key, CancellationToken cancellationToken)
    {
        var removed = Memory.Remove(key); // First: what write-behind finds gone it does not write.
        foreach (var (tier, _) in _tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Delete))
            {
                removed += await tier.DeleteAsync(key, cancellationToken);
            }
        }
        return removed;
    }

    /// <summary>Ends when every record queued before this call is in its tier, or was given up.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_tiers.Where(tier => tier.Behind is not null).Select(tier => tier.Behind!.FlushAsync(cancellationToken)));

    public IReadOnlyList<TierStats> SnapshotTiers() =>
    [
        .. _tiers.Select(tier => new TierStats(
            tier.Tier.Name, tier.Tier.IsReadingOff, tier.Tier.IsWritingOff, tier.Tier.Counts, tier.Tier.Failures, tier.Tier.Timeouts, tier.Behind?.QueuedBytes ?? 0,
            tier.Behind?.Written ?? 0, tier.Behind?.Dropped ?? 0, tier.Behind?.Failed ?? 0)),
    ];

    /// <summary>Writes what is queued within the deadline, then closes the tiers and the memory.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_tiers.Where(tier => tier.Behind is not null).Select(tier => tier.Behind!.DisposeAsync().AsTask()));
        foreach (var (tier, _) in _tiers)
        {
            await tier.DisposeAsync();
        }
        Memory.Dispose();
    }

    private async Task<ChunkLease?> TryBringUpAsync(GuardedTier tier, KvKey key, ChunkQuery query, CancellationToken cancellationToken)
    {
        // A flight belongs to nobody in particular, so it keeps no leases: each of those who waited leases from memory afterwards.
        await _flights.RunAsync(
            (key, query.FirstHead, query.HeadCount), token => BringUpAsync(tier, key, query, token), cancellationToken);
        return Memory.TryLease(key, query, out var lease) ? lease : null;
    }

    /// <summary>Reads one whole family of the chunk's shards into memory, if the tier has one that serves the query.</summary>
    private async Task BringUpAsync(GuardedTier tier, KvKey key, ChunkQuery query, CancellationToken cancellationToken)
    {
        var found = await tier.FindAsync(key, cancellationToken);
        foreach (var family in found.GroupBy(record => (record.Family, record.ModelHeads)))
        {
            var members = family.ToArray();
            var chosen = new List<int>();
            var headCount = query.HeadCount == 0 ? family.Key.ModelHeads : query.HeadCount;
            if (ShardCover.TryChoose(Array.ConvertAll(members, record => (record.FirstHead, record.Heads)), query.FirstHead, headCount, chosen)
                && await TryReadAllAsync(tier, chosen.ConvertAll(index => members[index]), query, cancellationToken))
            {
                return;
            }
        }
    }

    private async Task<bool> TryReadAllAsync(GuardedTier tier, List<TierRecord> records, ChunkQuery query, CancellationToken cancellationToken)
    {
        var leases = new List<RecordLease>(records.Count); // Held until the last is there: the first must not be evicted for it.
        try
        {
            // One after the other: callers load several chunks at a time, and that is where the parallelism comes from.
            foreach (var record in records)
            {
                if (await TryReadAsync(tier, record, query, cancellationToken) is not { } lease)
                {
                    return false;
                }
                leases.Add(lease);
            }
            return true;
        }
        finally
        {
            leases.ForEach(lease => lease.Dispose());
        }
    }

    private async Task<RecordLease?> TryReadAsync(GuardedTier tier, TierRecord record, ChunkQuery query, CancellationToken cancellationToken)
    {
        if (record.RecordBytes is < KvRecord.HeaderBytes || record.RecordBytes > _options.RecordBytesMax)
        {
            return null;
        }
        using var reservation = Memory.TryReserve(record.RecordBytes);
        if (reservation is null)
        {
            return null;
        }
        var read = await tier.ReadAsync(record, reservation.Record, cancellationToken);
        // The tier proved the bytes; that they are of the chunk that was asked for is proved here.
        return read is { Outcome: TierReadOutcome.Read, Header: { } header } && header.Key == record.Key && header.RecordBytes == record.RecordBytes
            && header.Layout.FirstHead == record.FirstHead && header.Layout.Heads == record.Heads && header.Layout.ModelHeads == record.ModelHeads
            && query.Takes(header.Layout) && query.IsUsable?.Invoke(ShardCover.FamilyOf(header.Layout)) != false
            ? reservation.CommitVerified(header)
            : null;
    }
}
