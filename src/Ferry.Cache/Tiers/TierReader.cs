using Ferry.Cache.Records;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers;

/// <summary>Reads records of a tier into memory.</summary>
internal sealed class TierReader(RecordStore memory, RecordCacheOptions options)
{
    /// <summary>Reads the first of the families that is whole and serves the query.</summary>
    /// <param name="onRead">Given each record that was read, while it is leased.</param>
    /// <returns>False when none does.</returns>
    public async Task<bool> TryReadAsync(
        GuardedTier tier, IReadOnlyList<IReadOnlyList<TierRecord>> families, ChunkQuery query, Action<RecordLease> onRead, CancellationToken cancellationToken)
    {
        foreach (var family in families)
        {
            if (await TryReadAllAsync(tier, family, query, onRead, cancellationToken))
            {
                return true;
            }
        }
        return false;
    }

    private async Task<bool> TryReadAllAsync(
        GuardedTier tier, IReadOnlyList<TierRecord> records, ChunkQuery query, Action<RecordLease> onRead, CancellationToken cancellationToken)
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
            leases.ForEach(onRead);
            return true;
        }
        finally
        {
            leases.ForEach(lease => lease.Dispose());
        }
    }

    private async Task<RecordLease?> TryReadAsync(GuardedTier tier, TierRecord record, ChunkQuery query, CancellationToken cancellationToken)
    {
        if (record.RecordBytes is < KvRecord.HeaderBytes || record.RecordBytes > options.RecordBytesMax)
        {
            return null;
        }
        using var reservation = memory.TryReserve(record.RecordBytes);
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
