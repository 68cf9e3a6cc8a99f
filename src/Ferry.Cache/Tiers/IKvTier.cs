using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers;

/// <summary>A place below memory that keeps records: a directory, a disk, an object store. Several may stand in a row.</summary>
/// <remarks>
/// Thread-safe. A miss, a full or a read-only store are answers; exceptions say that the store itself failed, and <see cref="GuardedTier"/>, through
/// which the cache speaks to every tier, counts them, cuts off what takes too long and leaves the tier alone for a while. What a tier hands out is
/// proved: a record whose header or checksum is wrong is a miss, is counted, and is deleted where the tier can.
/// </remarks>
public interface IKvTier : IAsyncDisposable
{
    /// <summary>Look-ups under way at one time when a tier leaves <see cref="FindManyAsync"/> as it is.</summary>
    const int FindsAtOnce = 16;

    /// <summary>For logs and metrics, such as <c>file:///var/cache/ferry</c>; never holds a secret.</summary>
    string Name { get; }

    /// <summary>One word for headers and metrics, such as <c>directory</c>.</summary>
    string Kind { get; }

    /// <summary>What this tier can do; asking for more throws <see cref="NotSupportedException"/>.</summary>
    TierCapabilities Capabilities { get; }

    /// <summary>Names the records of one chunk, all shards and layouts; empty for a miss. What it names may be gone a moment later.</summary>
    Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken);

    /// <summary>As <see cref="FindAsync"/> for the chunks of a chain at once, so that a store asks its disk or its server once and not once a chunk.</summary>
    /// <param name="keys">First chunk first; each key once.</param>
    /// <returns>One answer a key, in the order of the keys. A tier whose look-up is dear may leave all answers after the first empty one empty: a chain ends there.</returns>
    async Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = new IReadOnlyList<TierRecord>[keys.Count];
        for (var first = 0; first < found.Length; first += FindsAtOnce)
        {
            var some = Enumerable.Range(first, Math.Min(FindsAtOnce, found.Length - first));
            await Task.WhenAll(some.Select(async index => found[index] = await FindAsync(keys[index], cancellationToken)));
        }
        return found;
    }

    /// <summary>Reads and proves one record.</summary>
    /// <param name="destination">Exactly <see cref="TierRecord.RecordBytes"/> long; undefined unless the outcome is <see cref="TierReadOutcome.Read"/>.</param>
    Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Reads and proves a record that a walk named, for whoever copies records elsewhere.</summary>
    /// <param name="destination">Exactly <see cref="TierListing.RecordBytes"/> long.</param>
    /// <returns>As it stands it needs <see cref="TierListing.Record"/>; a tier that does not give it brings its own.</returns>
    Task<TierRead> ReadListedAsync(TierListing listing, Memory<byte> destination, CancellationToken cancellationToken) =>
        listing.Record is { } record ? ReadAsync(record, destination, cancellationToken) : Task.FromResult(TierRead.Of(TierReadOutcome.Missing));

    /// <summary>Stores a whole record, visible to readers only when all of it is there.</summary>
    /// <param name="record">Header and payload, valid until the task ends.</param>
    Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken);

    /// <summary>Deletes every record of the chunk.</summary>
    /// <returns>Records deleted.</returns>
    Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken);

    /// <summary>Deletes every record, or every one of a salt.</summary>
    /// <param name="salt">Null for all.</param>
    /// <returns>Records deleted. As it stands it needs <see cref="TierListing.Record"/>; a tier that does not give it brings its own.</returns>
    async Task<long> ClearAsync(string? salt, CancellationToken cancellationToken)
    {
        var deleted = 0L;
        await foreach (var listing in ListAsync(cancellationToken))
        {
            if (listing.Record is { } record && (salt is null || record.Key.Salt == salt))
            {
                deleted += await DeleteAsync(record.Key, cancellationToken);
            }
        }
        return deleted;
    }

    /// <summary>Walks all records, in no order. What is deleted meanwhile may or may not be named.</summary>
    IAsyncEnumerable<TierListing> ListAsync(CancellationToken cancellationToken);

    Task<TierUsage> MeasureAsync(CancellationToken cancellationToken);

    TierCounts Counts { get; }
}
