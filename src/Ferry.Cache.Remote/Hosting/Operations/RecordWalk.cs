using System.Runtime.CompilerServices;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>Walks all records of a tier with their bytes, one at a time, without counting as a use.</summary>
internal sealed class RecordWalk(RecordCache cache)
{
    /// <summary>Chunks of the memory that are looked at under its lock at one time.</summary>
    private const int ChunksAtOnce = 1024;

    /// <summary>Records that were named and could not be read: gone since, damaged, or too large for the memory.</summary>
    public long Unreadable { get; private set; }

    /// <param name="place">"memory", or the kind of a tier.</param>
    public IAsyncEnumerable<WalkedRecord> ReadAsync(string place, CancellationToken cancellationToken) =>
        place == Places.Memory ? ReadMemoryAsync(cancellationToken) : ReadTierAsync(Places.Find(cache, place), cancellationToken);

    private async IAsyncEnumerable<WalkedRecord> ReadMemoryAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = 0UL;
        do
        {
            foreach (var summary in cache.Memory.Walk(ref cursor, ChunksAtOnce))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (cache.Memory.TryLease(summary.Header.Key, summary.Header.Layout) is { } lease)
                {
                    yield return new WalkedRecord(lease.Key.Hash.ToString(), lease.Header, lease.Record, lease);
                }
            }
            await Task.Yield();
        }
        while (cursor != 0);
    }

    private async IAsyncEnumerable<WalkedRecord> ReadTierAsync(GuardedTier tier, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var listing in tier.ListAsync(cancellationToken))
        {
            if (listing.RecordBytes is < KvRecord.HeaderBytes or > int.MaxValue || await ReserveAsync((int)listing.RecordBytes, cancellationToken) is not { } room)
            {
                Unreadable++;
                continue;
            }
            var read = await tier.ReadListedAsync(listing, room.Record, cancellationToken);
            if (read is not { Outcome: TierReadOutcome.Read, Header: { } header })
            {
                room.Dispose();
                Unreadable++;
                continue;
            }
            yield return new WalkedRecord(listing.Location, header, room.Record, room);
        }
    }

    /// <summary>Room in memory for the bytes on their way: the walk takes no more memory than the exchange was given.</summary>
    private async Task<RecordReservation?> ReserveAsync(int recordBytes, CancellationToken cancellationToken)
    {
        if (cache.Memory.TryReserve(recordBytes) is { } room)
        {
            return room;
        }
        await cache.FlushAsync(cancellationToken);   // what waits for a tier holds its room
        return cache.Memory.TryReserve(recordBytes);
    }
}
