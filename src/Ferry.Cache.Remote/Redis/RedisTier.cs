using System.Runtime.CompilerServices;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Ferry.Cache.Remote.Redis;

/// <summary>Records as strings of a Redis or Valkey that many nodes share, and beside them a small hash for each chunk that names its shards: docs/wire/redis.md.</summary>
/// <remarks>
/// Redis replaces a value whole or not at all, so nothing is ever seen half written. A chunk's index follows its values: one that names a value which is gone is
/// mended by the read that misses it, and a value that no index names by the next put of it.
/// </remarks>
public sealed class RedisTier : IKvTier, IVerifiableTier, ICappedStore
{
    private const int QuestionsAtOnce = 256; // On their way together in a walk or a look-up of a chain.

    private readonly RedisStore _store;
    private readonly SharedCapacity _capacity;
    private readonly TierCounters _counters = new();
    private readonly ILogger _logger;
    private bool _tooLargeSaid;

    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public RedisTier(RedisTierOptions options, TimeProvider time, ILogger<RedisTier> logger)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        _logger = logger;
        Name = options.Location.ToString();
        _store = new RedisStore(options, time);
        var limits = new SharedCapacityOptions { CapacityBytes = options.CapacityBytes, ScanRecordsMax = options.ScanRecordsMax, RecountEvery = options.RecountEvery };
        _capacity = new SharedCapacity(this, limits, time, logger);
    }

    public string Name { get; }

    public string Kind => "redis";

    public TierCapabilities Capabilities =>
        TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Delete | TierCapabilities.List | TierCapabilities.Measure | TierCapabilities.Shared;

    public TierCounts Counts => _counters.Snapshot(_capacity.Evictions);

    public async Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken) => (await FindManyAsync([key], cancellationToken))[0];

    /// <summary>All chunks in one round trip.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = new List<IReadOnlyList<TierRecord>>(keys.Count);
        foreach (var some in keys.Chunk(QuestionsAtOnce))
        {
            var indexes = await _store.IndexesAsync(Array.ConvertAll(some, key => RecordPath.OfChunk(key)), cancellationToken);
            found.AddRange(some.Zip(indexes, Records));
        }
        return found;
    }

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!await _store.TryGetAsync(record.Location, destination, cancellationToken))
        {
            _counters.Missed();
            await _store.ForgetIfGoneAsync(record.Location, cancellationToken);
            return TierRead.Of(TierReadOutcome.Missing);
        }
        var reason = RecordProof.FindError(destination.Span, record.Location, out var header);
        if (header is not null && header.Key == record.Key)
        {
            await _store.MarkUsedAsync(record.Location);
            _counters.Read(destination.Length);
            return new TierRead(TierReadOutcome.Read, header);
        }
        _counters.Damaged();
        await DropAsync([record.Location], record.RecordBytes, cancellationToken);
        RemoteLog.RecordDamaged(_logger, Name, record.Location, reason ?? "it is of another chunk");
        return TierRead.Of(TierReadOutcome.Damaged);
    }

    public async Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        if (record.Length > RedisTierOptions.ValueBytesMax)
        {
            if (!Interlocked.Exchange(ref _tooLargeSaid, true))
            {
                RemoteLog.RecordTooLarge(_logger, Name, record.Length, RedisTierOptions.ValueBytesMax);
            }
            _counters.Refused();
            return TierPutOutcome.Full;
        }
        var location = RecordPath.OfRecord(header);
        if (await _store.LengthAsync(location, cancellationToken) == record.Length)
        {
            await _store.NameAsync(location, record.Length); // Redis may have evicted the index and kept the value.
            return TierPutOutcome.Present;
        }
        if (!await _capacity.TryTakeAsync(record.Length, cancellationToken))
        {
            _counters.Refused();
            return TierPutOutcome.Full;
        }
        var outcome = TierPutOutcome.Unavailable;
        try
        {
            outcome = await WriteAsync(location, record, cancellationToken);
        }
        finally
        {
            if (outcome == TierPutOutcome.Stored)
            {
                _capacity.Landed(record.Length);
                _counters.Put(record.Length);
            }
            else
            {
                _capacity.GiveBack(record.Length);
            }
        }
        if (outcome is TierPutOutcome.Full or TierPutOutcome.ReadOnly)
        {
            _counters.Refused();
        }
        return outcome;
    }

    public async Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken)
    {
        var index = (await _store.IndexesAsync([RecordPath.OfChunk(key)], cancellationToken))[0];
        return await DropAsync([.. index.Shards.Select(shard => $"{index.Chunk}/{shard.Name}")], index.Shards.Sum(shard => shard.Bytes), cancellationToken);
    }

    /// <summary>By names alone: a key tells its salt.</summary>
    public async Task<long> ClearAsync(string? salt, CancellationToken cancellationToken)
    {
        var deleted = 0L;
        await foreach (var some in ListAsync(cancellationToken).Where(one => salt is null || RecordPath.IsOfSalt(one.Location, salt)).Chunk(QuestionsAtOnce).WithCancellation(cancellationToken))
        {
            deleted += await DropAsync(Array.ConvertAll(some, one => one.Location), some.Sum(one => one.RecordBytes), cancellationToken);
        }
        return deleted;
    }

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var server in await _store.PrimariesAsync(cancellationToken))
        {
            var cursor = "0";
            do
            {
                (cursor, var locations) = await _store.ScanAsync(server, cursor, QuestionsAtOnce, cancellationToken);
                foreach (var listing in await _store.DescribeAsync(locations, cancellationToken))
                {
                    yield return listing with { Record = RecordPath.TryRecord(listing.Location, listing.RecordBytes) };
                }
            }
            while (cursor != "0");
        }
    }

    public async Task<TierRead> ReadListedAsync(TierListing listing, Memory<byte> destination, CancellationToken cancellationToken) =>
        !await _store.TryGetAsync(listing.Location, destination, cancellationToken) ? TierRead.Of(TierReadOutcome.Missing)
        : RecordProof.FindError(destination.Span, listing.Location, out var header) is null ? new TierRead(TierReadOutcome.Read, header)
        : TierRead.Of(TierReadOutcome.Damaged);

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken) => _capacity.MeasureAsync(cancellationToken);

    public Task<TierVerifyReport> VerifyAsync(TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken) =>
        RecordVerifier.VerifyAsync(
            ListAsync(cancellationToken), (record, bytes, token) => _store.TryGetAsync(record.Location, bytes, token),
            (record, token) => DropAsync([record.Location], record.RecordBytes, token), options, progress, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _capacity.DisposeAsync();
        await _store.DisposeAsync();
    }

    async Task<(int Records, long Bytes)> ICappedStore.DeleteAsync(IReadOnlyList<TierListing> records, CancellationToken cancellationToken)
    {
        var deleted = 0;
        foreach (var some in records.Chunk(QuestionsAtOnce))
        {
            deleted += await _store.DropAsync(Array.ConvertAll(some, record => record.Location), cancellationToken);
        }
        return (deleted, records.Sum(record => record.RecordBytes));
    }

    private IReadOnlyList<TierRecord> Records(KvKey key, RedisStore.Index index)
    {
        var records = new List<TierRecord>(index.Shards.Count);
        foreach (var (shard, bytes) in index.Shards)
        {
            if (RecordPath.TryParse(shard, out var name))
            {
                records.Add(new TierRecord(key, name.Family, name.FirstHead, name.Heads, name.ModelHeads, bytes, $"{index.Chunk}/{shard}"));
            }
        }
        if (records.Count == 0)
        {
            _counters.Missed();
        }
        return records;
    }

    private async Task<int> DropAsync(string[] locations, long bytes, CancellationToken cancellationToken)
    {
        var deleted = await _store.DropAsync(locations, cancellationToken);
        _capacity.Removed(bytes);
        return deleted;
    }

    private async Task<TierPutOutcome> WriteAsync(string location, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        try
        {
            if (await _store.SetAsync(location, record, When.NotExists, cancellationToken))
            {
                return TierPutOutcome.Stored;
            }
            if (await _store.LengthAsync(location, cancellationToken) == record.Length)
            {
                return TierPutOutcome.Present;
            }
            await _store.SetAsync(location, record, When.Always, cancellationToken); // Something of another length has its name, or went just now.
            return TierPutOutcome.Stored;
        }
        catch (RedisServerException error) when (RedisFault.IsFull(error))
        {
            return TierPutOutcome.Full;
        }
        catch (RedisServerException error) when (RedisFault.IsReadOnly(error))
        {
            return TierPutOutcome.ReadOnly;
        }
        catch (RedisTierException) when (_store.HasOnlyReplicas) // The client does not even send it.
        {
            return TierPutOutcome.ReadOnly;
        }
    }
}
