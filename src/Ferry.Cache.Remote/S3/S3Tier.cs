using System.Runtime.CompilerServices;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.S3;

/// <summary>Records as objects of a bucket (Ceph's gateway, or any S3) that many nodes share: docs/wire/s3.md.</summary>
/// <remarks>
/// An object appears whole or not at all, so there is nothing to rename. S3 keeps no time of last use: what was written longest ago counts as least recently
/// used. A store that fails throws <see cref="S3TierException"/>, which <see cref="GuardedTier"/> turns into a miss.
/// </remarks>
public sealed class S3Tier : IKvTier, IVerifiableTier, ICappedStore
{
    private const int AskFirstBytes = 4 << 20; // A HEAD first makes a PUT of 1 MiB a quarter slower and one of 20 MiB 3 % (docs/measurements/s3.md).
    private const int FirstWave = 8; // A chain that ends at its first chunk costs this many requests; 512 chunks take 18 waves. First value tried.
    private const int DeletesAtOnce = 1000; // One request's worth.
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1); // Longer than any upload: an older one was left by a process that died.

    private readonly S3TierOptions _options;
    private readonly S3Bucket _bucket;
    private readonly SharedCapacity _capacity;
    private readonly TierCounters _counters = new();
    private readonly ILogger _logger;
    private bool _uploadsLookedAt;

    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public S3Tier(S3TierOptions options, TimeProvider time, ILogger<S3Tier> logger)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        (_options, _logger) = (options, logger);
        Name = options.Location.ToString();
        _bucket = new S3Bucket(options, time);
        var limits = new SharedCapacityOptions
        {
            CapacityBytes = options.CapacityBytes,
            ExpireAfter = options.ExpireAfter,
            ScanRecordsMax = options.ScanRecordsMax,
            RecountEvery = options.RecountEvery,
        };
        _capacity = new SharedCapacity(this, limits, time, logger);
    }

    public string Name { get; }

    public string Kind => "s3";

    public TierCapabilities Capabilities =>
        TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Delete | TierCapabilities.List | TierCapabilities.Measure | TierCapabilities.Shared
        | TierCapabilities.EndsStalledPuts;

    public TierCounts Counts => _counters.Snapshot(_capacity.Evictions);

    /// <summary>Requests that were tried again, since the tier began.</summary>
    public long Retries => _bucket.Retries;

    public async Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken)
    {
        var found = new List<TierRecord>();
        foreach (var one in await _bucket.ListPageAsync(RecordPath.OfChunk(key) + "/", RecordStore.MaxRecordsPerChunk, cancellationToken))
        {
            if (one.RecordBytes <= int.MaxValue && RecordPath.IsRecord(one.Location) && !_capacity.IsExpired(one.LastUsed)
                && RecordPath.TryParse(one.Location[(one.Location.LastIndexOf('/') + 1)..], out var name))
            {
                found.Add(new TierRecord(key, name.Family, name.FirstHead, name.Heads, name.ModelHeads, (int)one.RecordBytes, one.Location));
            }
        }
        if (found.Count == 0)
        {
            _counters.Missed();
        }
        return found;
    }

    /// <summary>One LIST a chunk, in waves that grow: a chain that ends early costs few requests, a long one keeps the gateway busy.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = new IReadOnlyList<TierRecord>[keys.Count];
        Array.Fill(found, []);
        var wave = Math.Min(FirstWave, _options.RequestsMax);
        for (var first = 0; first < found.Length; first += wave, wave = Math.Min(2 * wave, _options.RequestsMax))
        {
            wave = Math.Min(wave, found.Length - first);
            await Task.WhenAll(Enumerable.Range(first, wave).Select(async index => found[index] = await FindAsync(keys[index], cancellationToken)));
            if (Array.Exists(found[first..(first + wave)], chunk => chunk.Count == 0))
            {
                break;
            }
        }
        return found;
    }

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        string? reason = null;
        // Twice: what the way here damaged is no reason to delete a record that other nodes can read.
        for (var reads = 0; reads < 2; reads++)
        {
            if (!await FillAsync(record.Location, destination, cancellationToken))
            {
                _counters.Missed();
                return TierRead.Of(TierReadOutcome.Missing);
            }
            reason = RecordProof.FindError(destination.Span, record.Location, out var header);
            if (header is not null && header.Key == record.Key)
            {
                _counters.Read(destination.Length);
                return new TierRead(TierReadOutcome.Read, header);
            }
        }
        _counters.Damaged();
        await _bucket.DeleteAsync([record.Location], cancellationToken);
        _capacity.Removed(record.RecordBytes);
        RemoteLog.RecordDamaged(_logger, Name, record.Location, reason ?? "it is of another chunk");
        return TierRead.Of(TierReadOutcome.Damaged);
    }

    public async Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        var location = RecordPath.OfRecord(header);
        if (record.Length >= AskFirstBytes && await _bucket.TryGetLengthAsync(location, cancellationToken) == record.Length)
        {
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
        if (outcome == TierPutOutcome.Full)
        {
            _counters.Refused();
        }
        return outcome;
    }

    public async Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken)
    {
        var records = (await _bucket.ListPageAsync(RecordPath.OfChunk(key) + "/", RecordStore.MaxRecordsPerChunk, cancellationToken))
            .Where(one => RecordPath.IsRecord(one.Location)).ToArray();
        await _bucket.DeleteAsync(Array.ConvertAll(records, one => one.Location), cancellationToken);
        _capacity.Removed(records.Sum(one => one.RecordBytes));
        return records.Length;
    }

    /// <summary>By names alone: a path tells its salt.</summary>
    public async Task<long> ClearAsync(string? salt, CancellationToken cancellationToken)
    {
        var deleted = 0L;
        await foreach (var some in ListAsync(cancellationToken).Where(one => salt is null || RecordPath.IsOfSalt(one.Location, salt)).Chunk(DeletesAtOnce).WithCancellation(cancellationToken))
        {
            await _bucket.DeleteAsync(Array.ConvertAll(some, one => one.Location), cancellationToken);
            _capacity.Removed(some.Sum(one => one.RecordBytes));
            deleted += some.Length;
        }
        return deleted;
    }

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var one in _bucket.ListAllAsync("", cancellationToken))
        {
            if (RecordPath.IsRecord(one.Location))
            {
                yield return one with { Record = RecordPath.TryRecord(one.Location, one.RecordBytes) };
            }
        }
    }

    public async Task<TierRead> ReadListedAsync(TierListing listing, Memory<byte> destination, CancellationToken cancellationToken) =>
        !await FillAsync(listing.Location, destination, cancellationToken) ? TierRead.Of(TierReadOutcome.Missing)
        : RecordProof.FindError(destination.Span, listing.Location, out var header) is null ? new TierRead(TierReadOutcome.Read, header)
        : TierRead.Of(TierReadOutcome.Damaged);

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken) => _capacity.MeasureAsync(cancellationToken);

    public Task<TierVerifyReport> VerifyAsync(TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken) =>
        RecordVerifier.VerifyAsync(
            ListAsync(cancellationToken), (record, bytes, token) => FillAsync(record.Location, bytes, token),
            async (record, token) =>
            {
                await _bucket.DeleteAsync([record.Location], token);
                _capacity.Removed(record.RecordBytes);
            }, options, progress, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _capacity.DisposeAsync();
        _bucket.Dispose();
    }

    async Task<(int Records, long Bytes)> ICappedStore.DeleteAsync(IReadOnlyList<TierListing> records, CancellationToken cancellationToken)
    {
        await _bucket.DeleteAsync([.. records.Select(record => record.Location)], cancellationToken);
        return (records.Count, records.Sum(record => record.RecordBytes));
    }

    private async Task<bool> FillAsync(string location, Memory<byte> destination, CancellationToken cancellationToken) =>
        destination.IsEmpty // An empty object: S3 has no empty range, and there is nothing to fill.
        || (destination.Length >= _options.RangesFromBytes
            ? await _bucket.TryGetInRangesAsync(location, destination, cancellationToken)
            : await _bucket.TryGetAsync(location, destination, cancellationToken));

    /// <summary>Once, before the first upload in parts: those that processes left when they died.</summary>
    private async Task EndAbandonedUploadsAsync(CancellationToken cancellationToken)
    {
        if (!Interlocked.Exchange(ref _uploadsLookedAt, true) && await _bucket.AbortUploadsAsync(AbandonedAfter, cancellationToken) is > 0 and var ended)
        {
            RemoteLog.UploadsEnded(_logger, Name, ended);
        }
    }

    private async Task<TierPutOutcome> WriteAsync(string location, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        if (record.Length >= _options.MultipartFromBytes)
        {
            await EndAbandonedUploadsAsync(cancellationToken);
            return await _bucket.PutInPartsAsync(location, record, cancellationToken);
        }
        var outcome = await _bucket.PutAsync(location, record, onlyIfAbsent: true, cancellationToken);
        return outcome != TierPutOutcome.Present || await _bucket.TryGetLengthAsync(location, cancellationToken) == record.Length
            ? outcome
            : await _bucket.PutAsync(location, record, onlyIfAbsent: false, cancellationToken); // Something of another length has its name, or went just now.
    }
}
