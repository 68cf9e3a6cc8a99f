using System.Runtime.CompilerServices;
using Ferry.Cache.Records;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.IntegrationTests.Remote.Peers;

/// <summary>For the contract of tiers: what a peer's tier cannot do its owner does, in its memory; finding and reading go through the tier.</summary>
internal sealed class PutAtTheOwner(PeerTier tier, RecordStore owner) : IKvTier
{
    public string Name => tier.Name;

    public string Kind => tier.Kind;

    public TierCapabilities Capabilities => tier.Capabilities;

    public TierCounts Counts => tier.Counts;

    public Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken) => tier.FindAsync(key, cancellationToken);

    public Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken) => tier.FindManyAsync(keys, cancellationToken);

    public Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken) => tier.ReadAsync(record, destination, cancellationToken);

    public Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var room = owner.TryReserve(header.Key, header.Layout, PutMode.KeepFirst, out var outcome);
        if (room is null)
        {
            return Task.FromResult(outcome is ReserveOutcome.Present or ReserveOutcome.Arriving ? TierPutOutcome.Present : TierPutOutcome.Full);
        }
        record[KvRecord.HeaderBytes..].CopyTo(room.Payload);
        room.Commit(header).Dispose();
        return Task.FromResult(TierPutOutcome.Stored);
    }

    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken) => Task.FromResult(owner.Remove(key));

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        var cursor = 0UL;
        do
        {
            foreach (var summary in owner.Walk(ref cursor, 100))
            {
                var path = RecordPath.OfRecord(summary.Header);
                yield return new TierListing(path, summary.Header.RecordBytes, DateTimeOffset.UnixEpoch) { Record = RecordPath.TryRecord(path, summary.Header.RecordBytes) };
            }
        }
        while (cursor != 0);
    }

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken)
    {
        var (records, bytes) = (0, 0L);
        var cursor = 0UL;
        do
        {
            foreach (var summary in owner.Walk(ref cursor, 100))
            {
                (records, bytes) = (records + 1, bytes + summary.Header.RecordBytes);
            }
        }
        while (cursor != 0);
        return Task.FromResult(new TierUsage(records, bytes, null, false));
    }

    public ValueTask DisposeAsync() => tier.DisposeAsync();
}
