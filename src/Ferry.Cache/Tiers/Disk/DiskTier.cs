using System.Runtime.CompilerServices;
using Ferry.Cache.Eviction;
using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Cache.Tiers.Disk.Index;
using Ferry.Cache.Tiers.Disk.Segments;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Records in segment files of a directory that this process owns; the index is in memory and is rebuilt from the segments' own at a start.</summary>
/// <remarks>docs/wire/disk.md describes the files, and what is promised at which moment. Look-ups never touch the disk.</remarks>
public sealed class DiskTier : IKvTier, IVerifiableTier
{
    private readonly DiskTierOptions _options;
    private readonly SegmentStore _store;
    private readonly DiskIo _reads;
    private readonly DiskPins _pins;
    private readonly Compactor _compactor;
    private readonly Reclaimer _reclaimer;
    private readonly DiskReader _reader;
    private readonly DiskWriter _writer;
    private readonly WriteSwitch _switch;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private DiskMaintenance? _maintenance;
    private long _dropped;
    private long _misses;
    private bool _closed;

    private DiskTier(DiskTierOptions options, IDiskFiles files, TimeProvider time, ILogger logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        Name = new UriBuilder("disk", string.Empty) { Path = options.Path }.Uri.AbsoluteUri;
        var index = new DiskIndex(EvictionPolicies.Create(options.Policy));
        _reads = new DiskIo("ferry-disk-read", options.ReadDepth, options.QueueMax);
        _store = new SegmentStore(options, files, index, new DiskIo("ferry-disk-write", options.WriteDepth, options.QueueMax), time);
        _pins = new DiskPins(index, options.PinsMax, time);
        _compactor = new Compactor(_store, time);
        _reclaimer = new Reclaimer(_store, _compactor, _pins);
        _switch = new WriteSwitch(Name, options, time, logger);
        _reader = new DiskReader(_store, _reads, _reclaimer, _switch, logger);
        _compactor.OnDamage = _reader.ReportDamage;
        _writer = new DiskWriter(_store, _reclaimer, _switch);
    }

    public string Name { get; }

    public string Kind => "disk";

    public TierCapabilities Capabilities =>
        TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Delete | TierCapabilities.List | TierCapabilities.Measure;

    public TierCounts Counts => new(
        _reader.Reads, _reader.ReadBytes, Volatile.Read(ref _misses) + _reader.Misses, _reader.Damaged, _writer.Puts, _writer.PutBytes,
        _reclaimer.Evictions, _writer.Refused);

    /// <summary>Takes the directory, reads its index, and starts writing and tidying.</summary>
    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    /// <exception cref="DiskTierException">Another process has the directory, it is somebody else's or of another format, or it cannot be used.</exception>
    public static Task<DiskTier> OpenAsync(DiskTierOptions options, TimeProvider time, ILogger<DiskTier> logger, CancellationToken cancellationToken) =>
        OpenAsync(options, new OsDiskFiles(options.Path, options.TryDirectIo), time, logger, tidy: true, cancellationToken);

    /// <param name="files">Owned from now on.</param>
    /// <param name="tidy">False: <see cref="TidyAsync"/> is called by hand.</param>
    internal static async Task<DiskTier> OpenAsync(
        DiskTierOptions options, IDiskFiles files, TimeProvider time, ILogger logger, bool tidy, CancellationToken cancellationToken)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        var tier = new DiskTier(options, files, time, logger);
        try
        {
            await tier.StartAsync(tidy, cancellationToken);
            return tier;
        }
        catch
        {
            tier._closed = true;
            await tier.CloseAsync();
            throw;
        }
    }

    public Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken)
    {
        TierRecord[] found;
        lock (_store.Gate)
        {
            found = Find_NeedsLock(key);
        }
        if (found.Length == 0)
        {
            Interlocked.Increment(ref _misses);
        }
        return Task.FromResult<IReadOnlyList<TierRecord>>(found);
    }

    public Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = new IReadOnlyList<TierRecord>[keys.Count];
        var misses = 0;
        lock (_store.Gate)
        {
            for (var index = 0; index < found.Length; index++)
            {
                found[index] = Find_NeedsLock(keys[index]);
                misses += found[index].Count == 0 ? 1 : 0;
            }
        }
        Interlocked.Add(ref _misses, misses);
        return Task.FromResult<IReadOnlyList<IReadOnlyList<TierRecord>>>(found);
    }

    public Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken) =>
        _reader.ReadAsync(record, destination, cancellationToken);

    public Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken) =>
        _writer.PutAsync(header, record, cancellationToken);

    public async Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken)
    {
        List<DiskRecord> deleted = [];
        lock (_store.Gate)
        {
            if (_store.Index.TryFind(key) is { } chunk)
            {
                // Found again by their slots: what left the index has no page any more.
                for (var record = chunk.First; record is not null; record = chunk.First)
                {
                    deleted.Add(record);
                    _store.Remove_NeedsLock(chunk, record);
                }
            }
        }
        if (deleted.Count > 0)
        {
            await _reclaimer.ForgetAsync(deleted, cancellationToken);
            _maintenance?.Wake();
        }
        return deleted.Count;
    }

    /// <summary>Keeps a chunk from eviction until a time; deleting it by hand goes on to work. Pins end with the process.</summary>
    /// <returns>False when the chunk is not here, or too many are pinned.</returns>
    public bool TryPin(in KvKey key, DateTimeOffset until)
    {
        lock (_store.Gate)
        {
            return _store.Index.TryFind(key) is { } chunk && _pins.TryPin_NeedsLock(chunk, until);
        }
    }

    /// <returns>False when it was not pinned.</returns>
    public bool Unpin(in KvKey key)
    {
        lock (_store.Gate)
        {
            return _store.Index.TryFind(key) is { } chunk && _pins.Release_NeedsLock(chunk);
        }
    }

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask; // The index is in memory; a look at a time, so that its lock is never held for long.
        foreach (var some in DiskWalk.Records(_store, static (chunk, record) =>
            new TierListing(record.Location, record.RecordBytes, DateTimeOffset.FromUnixTimeSeconds(chunk.LastUsedUnixSeconds)) { Record = NameOf(chunk.Key, record) }))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var listing in some)
            {
                yield return listing;
            }
        }
    }

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken)
    {
        lock (_store.Gate)
        {
            return Task.FromResult(new TierUsage(_store.Index.RecordCount, _store.Index.RecordBytes, _options.CapacityBytes, false));
        }
    }

    public DiskTierStats Snapshot()
    {
        lock (_store.Gate)
        {
            var segments = _store.Segments_NeedsLock;
            return new DiskTierStats(
                _store.Index.ChunkCount, _store.Index.RecordCount, _store.Index.RecordBytes, segments.Count, _store.AllocatedBytes_NeedsLock,
                segments.Sum(segment => segment.LiveBytes), _options.CapacityBytes, _compactor.MovedBytes, _dropped, _pins.Count, _store.Files.DirectIo,
                _switch.Fault?.WayOut);
        }
    }

    public Task<TierVerifyReport> VerifyAsync(TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        long bytesTotal;
        lock (_store.Gate)
        {
            bytesTotal = _store.Index.RecordBytes;
        }
        return new DiskVerifier(_store, _reads, options, _reader.DropAsync).RunAsync(bytesTotal, progress, cancellationToken);
    }

    /// <summary>Ends what is under way, puts everything on the medium and lets the directory go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closed)
        {
            return;
        }
        _closed = true;
        if (_maintenance is not null)
        {
            await _maintenance.DisposeAsync();
        }
        await _writer.CloseAsync();
        try
        {
            await DiskMaintenance.CloseAsync(_store);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _switch.Failed(error); // The next start proves again what could not be put down now.
        }
        await CloseAsync();
    }

    /// <summary>One round of what the background does.</summary>
    internal Task<bool> TidyAsync(CancellationToken cancellationToken) => DiskMaintenance.RunOnceAsync(_store, _reclaimer, cancellationToken);

    internal void CheckIntegrity()
    {
        lock (_store.Gate)
        {
            _store.Index.CheckIntegrity();
            var live = _store.Segments_NeedsLock.Sum(segment => (long)segment.LiveRecords);
            var open = _store.Segments_NeedsLock.Sum(segment => segment.OpenPlaces);
            if (live != _store.Index.RecordCount || open != 0)
            {
                throw new InvalidOperationException($"Disk tier: the segments count {live} records and {open} open places, the index {_store.Index.RecordCount} records.");
            }
        }
    }

    private async Task StartAsync(bool tidy, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var recovery = new DiskRecovery(_store, _reads, _logger);
        await _reads.RunAsync(
            () =>
            {
                _store.Files.Claim();
                DirectoryFormat.ClaimOrCheck(_store.Files);
            },
            cancellationToken);
        await recovery.RunAsync(cancellationToken);
        _dropped = recovery.Dropped;
        if (!_store.Files.DirectIo.IsUsed && _options.TryDirectIo)
        {
            DiskLog.NotDirect(_logger, Name, _store.Files.DirectIo.WhyNot!);
        }
        await SettleAsync(cancellationToken);
        var stats = Snapshot();
        DiskLog.Opened(
            _logger, Name, stats.Records, stats.RecordBytes, stats.Segments, stats.AllocatedBytes, stats.CapacityBytes, stats.DirectIo, recovery.Verified, recovery.Dropped,
            _time.GetElapsedTime(started));
        if (tidy)
        {
            _maintenance = new DiskMaintenance(_store, _reclaimer, _switch, _options, _time);
            _writer.Wake = _maintenance.Wake;
        }
    }

    /// <summary>What a start must not leave for later: slots of records that lost to newer ones, and a cap that was lowered.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        var stats = Snapshot();
        try
        {
            await _reclaimer.GiveBackAllAsync(cancellationToken);
            if (stats.AllocatedBytes > stats.CapacityBytes)
            {
                DiskLog.OverCapacity(_logger, Name, stats.AllocatedBytes, stats.CapacityBytes);
                await _reclaimer.MakeRoomAsync(1, cancellationToken);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _switch.Failed(error); // What may only be read is served.
        }
    }

    private TierRecord[] Find_NeedsLock(in KvKey key)
    {
        if (_store.Index.TryFind(key) is not { } chunk)
        {
            return [];
        }
        var found = new List<TierRecord>();
        for (var record = chunk.First; record is not null; record = record.Next)
        {
            found.Add(NameOf(key, record));
        }
        return [.. found];
    }

    private static TierRecord NameOf(in KvKey key, DiskRecord record) =>
        new(key, record.Family.Digest, record.FirstHead, record.Heads, record.Family.ModelHeads, record.RecordBytes, record.Location) { FamilyLayout = record.Family.Layout };

    private async Task CloseAsync()
    {
        await _reads.DisposeAsync();
        await _store.DisposeAsync();
        _store.Files.Dispose();
        _reclaimer.Dispose();
        _compactor.Dispose();
        _writer.Dispose();
    }
}
