using System.Runtime.CompilerServices;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Cache.Remote.Directory;

/// <summary>Records as files of a directory that may be shared by many nodes: one file a record, never seen half written.</summary>
/// <remarks>
/// A record is written beside the others under a name that nobody looks for and then renamed, which is atomic on every POSIX file system. The file's time of
/// change is its time of last use. Directory calls block: <see cref="GuardedTier"/> runs them off the caller's thread and cuts off a mount that hangs.
/// </remarks>
public sealed class DirectoryTier : IKvTier, IVerifiableTier, ICappedStore
{
    private const string TemporaryDirectory = "incoming";
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1); // Longer than any write: what is older was left by a process that died.

    private readonly DirectoryTierOptions _options;
    private readonly IRecordFiles _files;
    private readonly SharedCapacity _capacity;
    private readonly TierCounters _counters = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _root;
    private readonly string _incoming;
    private bool _incomingCleared;

    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public DirectoryTier(DirectoryTierOptions options, TimeProvider time, ILogger<DirectoryTier> logger)
        : this(options, OsRecordFiles.Instance, time, logger)
    {
    }

    internal DirectoryTier(DirectoryTierOptions options, IRecordFiles files, TimeProvider time, ILogger<DirectoryTier> logger)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        _options = options;
        _files = files;
        _time = time;
        _logger = logger;
        _root = Path.Combine(options.Path, RecordPath.FormatDirectory);
        _incoming = Path.Combine(_root, TemporaryDirectory);
        Name = new UriBuilder(Uri.UriSchemeFile, string.Empty) { Path = options.Path }.Uri.AbsoluteUri;
        var limits = new SharedCapacityOptions { CapacityBytes = options.CapacityBytes, ExpireAfter = options.ExpireAfter, ScanRecordsMax = options.ScanFilesMax };
        _capacity = new SharedCapacity(this, limits, time, logger);
    }

    public string Name { get; }

    public string Kind => "directory";

    public TierCapabilities Capabilities =>
        TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Delete | TierCapabilities.List | TierCapabilities.Measure | TierCapabilities.Shared;

    public TierCounts Counts => _counters.Snapshot(_capacity.Evictions);

    public Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken)
    {
        var chunk = RecordPath.OfChunk(key);
        var found = new List<TierRecord>();
        foreach (var file in DirectoryWalk.Files(Path.Combine(_root, chunk)).Take(Records.RecordStore.MaxRecordsPerChunk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryGetLength(file) is { } bytes and <= int.MaxValue && !_capacity.IsExpired(file.LastWriteTimeUtc) && RecordPath.TryParse(file.Name, out var name))
            {
                found.Add(new TierRecord(key, name.Family, name.FirstHead, name.Heads, name.ModelHeads, (int)bytes, $"{chunk}/{file.Name}"));
            }
        }
        if (found.Count == 0)
        {
            _counters.Missed();
        }
        return Task.FromResult<IReadOnlyList<TierRecord>>(found);
    }

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var file = TryOpen(Path.Combine(_root, record.Location));
        if (file is null)
        {
            _counters.Missed();
            return TierRead.Of(TierReadOutcome.Missing);
        }
        if (RandomAccess.GetLength(file) != destination.Length || !await TryFillAsync(file, destination, cancellationToken))
        {
            return Damaged(record, "its length changed");
        }
        var reason = RecordProof.FindError(destination.Span, record.Location, out var header);
        if (header is null || header.Key != record.Key)
        {
            return Damaged(record, reason ?? "it is of another chunk");
        }
        MarkUsed(file);
        _counters.Read(destination.Length);
        return new TierRead(TierReadOutcome.Read, header);
    }

    public async Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        var chunk = Path.Combine(_root, RecordPath.OfChunk(header.Key));
        var target = Path.Combine(chunk, RecordPath.OfShard(header.Layout));
        if (new FileInfo(target) is { Exists: true } present && present.Length == record.Length)
        {
            return TierPutOutcome.Present;
        }
        if (!await _capacity.TryTakeAsync(record.Length, cancellationToken))
        {
            _counters.Refused();
            return TierPutOutcome.Full;
        }
        try
        {
            await WriteAsync(chunk, target, record, cancellationToken);
        }
        catch (Exception error)
        {
            _capacity.GiveBack(record.Length);
            if (error is IOException && IsDiskFull(error))
            {
                _counters.Refused();
                return TierPutOutcome.Full;
            }
            throw;
        }
        _capacity.Landed(record.Length);
        _counters.Put(record.Length);
        return TierPutOutcome.Stored;
    }

    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken)
    {
        var deleted = 0;
        var chunk = RecordPath.OfChunk(key);
        foreach (var file in DirectoryWalk.Files(Path.Combine(_root, chunk)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            deleted += Drop($"{chunk}/{file.Name}") ? 1 : 0;
        }
        return Task.FromResult(deleted);
    }

    /// <summary>By names alone: a path tells its salt.</summary>
    public async Task<long> ClearAsync(string? salt, CancellationToken cancellationToken)
    {
        var deleted = 0L;
        await foreach (var record in ListAsync(cancellationToken))
        {
            if ((salt is null || RecordPath.IsOfSalt(record.Location, salt)) && Drop(record.Location))
            {
                deleted++;
            }
        }
        return deleted;
    }

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask; // Directory calls have no asynchronous form.
        foreach (var file in DirectoryWalk.Records(_root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryGetLength(file) is { } bytes)
            {
                var location = Path.GetRelativePath(_root, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
                yield return new TierListing(location, bytes, file.LastWriteTimeUtc) { Record = RecordPath.TryRecord(location, bytes) };
            }
        }
    }

    public async Task<TierRead> ReadListedAsync(TierListing listing, Memory<byte> destination, CancellationToken cancellationToken) =>
        !await FillAsync(listing, destination, cancellationToken) ? TierRead.Of(TierReadOutcome.Missing)
        : RecordProof.FindError(destination.Span, listing.Location, out var header) is null ? new TierRead(TierReadOutcome.Read, header)
        : TierRead.Of(TierReadOutcome.Damaged);

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken) => _capacity.MeasureAsync(cancellationToken);

    public Task<TierVerifyReport> VerifyAsync(TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken) =>
        RecordVerifier.VerifyAsync(ListAsync(cancellationToken), FillAsync, DropAsync, options, progress, cancellationToken);

    public ValueTask DisposeAsync() => _capacity.DisposeAsync();

    Task<(int Records, long Bytes)> ICappedStore.DeleteAsync(IReadOnlyList<TierListing> records, CancellationToken cancellationToken)
    {
        var (count, bytes) = (0, 0L);
        foreach (var record in records)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryDelete(new FileInfo(Path.Combine(_root, record.Location))) is { } deleted)
            {
                (count, bytes) = (count + 1, bytes + deleted);
            }
        }
        return Task.FromResult((count, bytes));
    }

    private static long? TryGetLength(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // Evicted by another node between the listing and the look.
        }
    }

    private async Task WriteAsync(string chunk, string target, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        PrepareIncoming();
        var temporary = Path.Combine(_incoming, Guid.NewGuid().ToString("n"));
        try
        {
            await _files.WriteNewAsync(temporary, record, _options.FlushToDisk, cancellationToken);
            MoveIntoPlace(temporary, chunk, target);
        }
        catch
        {
            _files.Delete(temporary);
            throw;
        }
    }

    private void MoveIntoPlace(string temporary, string chunk, string target)
    {
        _files.CreateDirectory(chunk);
        try
        {
            _files.Move(temporary, target);
        }
        catch (DirectoryNotFoundException)
        {
            // Eviction, here or on another node, removed the empty directory in between.
            _files.CreateDirectory(chunk);
            _files.Move(temporary, target);
        }
    }

    /// <summary>Makes the directory of files being written and, once, clears what dead processes left in it.</summary>
    private void PrepareIncoming()
    {
        _files.CreateDirectory(_incoming); // Each time: whoever empties the directory under a running node must not stop it.
        if (Interlocked.Exchange(ref _incomingCleared, true))
        {
            return;
        }
        foreach (var file in new DirectoryInfo(_incoming).EnumerateFiles().Take(_options.ScanFilesMax))
        {
            if (Guid.TryParseExact(file.Name, "n", out _) && _time.GetUtcNow() - file.LastWriteTimeUtc > AbandonedAfter)
            {
                _files.Delete(file.FullName);
            }
        }
    }

    private static SafeFileHandle? TryOpen(string path)
    {
        try
        {
            return File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static async Task<bool> TryFillAsync(SafeFileHandle file, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (var filled = 0; filled < destination.Length;)
        {
            var read = await RandomAccess.ReadAsync(file, destination[filled..], filled, cancellationToken);
            if (read == 0)
            {
                return false;
            }
            filled += read;
        }
        return true;
    }

    private async Task<bool> FillAsync(TierListing record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var file = TryOpen(Path.Combine(_root, record.Location));
        return file is not null && RandomAccess.GetLength(file) == destination.Length && await TryFillAsync(file, destination, cancellationToken);
    }

    private Task DropAsync(TierListing record, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Drop(record.Location);
        return Task.CompletedTask;
    }

    private TierRead Damaged(TierRecord record, string reason)
    {
        _counters.Damaged();
        Drop(record.Location);
        RemoteLog.RecordDamaged(_logger, Name, record.Location, reason);
        return TierRead.Of(TierReadOutcome.Damaged);
    }

    private bool Drop(string location)
    {
        if (TryDelete(new FileInfo(Path.Combine(_root, location))) is not { } bytes)
        {
            return false;
        }
        _capacity.Removed(bytes);
        return true;
    }

    /// <returns>Bytes of the file that went, or null when it was gone, or is not ours to delete.</returns>
    private long? TryDelete(FileInfo file)
    {
        var bytes = TryGetLength(file);
        if (bytes is null)
        {
            return null;
        }
        try
        {
            _files.Delete(file.FullName);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        try
        {
            _files.DeleteDirectory(file.DirectoryName!);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Not empty, or gone already.
        }
        return bytes;
    }

    private void MarkUsed(SafeFileHandle file)
    {
        try
        {
            File.SetLastWriteTimeUtc(file, _time.GetUtcNow().UtcDateTime);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A directory that may only be read: its owner decides what goes.
        }
    }

    private static bool IsDiskFull(Exception error)
    {
        const int NoSpace = 28; // ENOSPC of Linux and macOS.
        const int Quota = 122; // EDQUOT of Linux.
        const int WindowsDiskFull = unchecked((int)0x80070070); // also what .NET reports when preallocation finds no room
        return error.HResult is NoSpace or Quota or WindowsDiskFull;
    }
}
