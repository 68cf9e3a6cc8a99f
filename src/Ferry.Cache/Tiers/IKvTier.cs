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
    /// <summary>For logs and metrics, such as <c>file:///var/cache/ferry</c>; never holds a secret.</summary>
    string Name { get; }

    /// <summary>One word for headers and metrics, such as <c>directory</c>.</summary>
    string Kind { get; }

    /// <summary>What this tier can do; asking for more throws <see cref="NotSupportedException"/>.</summary>
    TierCapabilities Capabilities { get; }

    /// <summary>Names the records of one chunk, all shards and layouts; empty for a miss. What it names may be gone a moment later.</summary>
    Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken);

    /// <summary>Reads and proves one record.</summary>
    /// <param name="destination">Exactly <see cref="TierRecord.RecordBytes"/> long; undefined unless the outcome is <see cref="TierReadOutcome.Read"/>.</param>
    Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Stores a whole record, visible to readers only when all of it is there.</summary>
    /// <param name="record">Header and payload, valid until the task ends.</param>
    Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken);

    /// <summary>Deletes every record of the chunk.</summary>
    /// <returns>Records deleted.</returns>
    Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken);

    /// <summary>Walks all records, in no order.</summary>
    IAsyncEnumerable<TierListing> ListAsync(CancellationToken cancellationToken);

    Task<TierUsage> MeasureAsync(CancellationToken cancellationToken);

    TierCounts Counts { get; }
}
