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
public sealed class DirectoryTier : IKvTier
{
    // A sub-directory named after the format: another format, one day, stands beside this one.
    private const string FormatDirectory = "ferry-kv-1";
    private const string TemporaryDirectory = "incoming";
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1); // Longer than any write: what is older was left by a process that died.

    private readonly DirectoryTierOptions _options;
    private readonly DirectoryCapacity _capacity;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _root;
    private readonly string _incoming;
    private bool _incomingCleared;
    private long _reads;
    private long _readBytes;
    private long _misses;
    private long _damaged;
    private long _puts;
    private long _putBytes;
    private long _refused;

    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public DirectoryTier(DirectoryTierOptions options, TimeProvider time, ILogger<DirectoryTier> logger)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        _options = options;
        _time = time;
        _logger = logger;
        _root = Path.Combine(options.Path, FormatDirectory);
        _incoming = Path.Combine(_root, TemporaryDirectory);
        _capacity = new DirectoryCapacity(_root, options, logger);
        Name = new UriBuilder(Uri.UriSchemeFile, string.Empty) { Path = options.Path }.Uri.AbsoluteUri;
    }

    public string Name { get; }

    public string Kind => "directory";

    public TierCapabilities Capabilities =>
        TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Delete | TierCapabilities.List | TierCapabilities.Measure | TierCapabilities.Shared;

    public TierCounts Counts => new(
        Volatile.Read(ref _reads), Volatile.Read(ref _readBytes), Volatile.Read(ref _misses), Volatile.Read(ref _damaged),
        Volatile.Read(ref _puts), Volatile.Read(ref _putBytes), _capacity.Evictions, Volatile.Read(ref _refused));

    public Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken)
    {
        var chunk = RecordPath.OfChunk(key);
        var found = new List<TierRecord>();
        foreach (var file in DirectoryWalk.Files(Path.Combine(_root, chunk)).Take(Records.RecordStore.MaxRecordsPerChunk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryGetLength(file) is { } bytes and <= int.MaxValue && RecordPath.TryParse(file.Name, out var name))
            {
                found.Add(new TierRecord(key, name.Family, name.FirstHead, name.Heads, name.ModelHeads, (int)bytes, Path.Combine(chunk, file.Name)));
            }
        }
        if (found.Count == 0)
        {
            Interlocked.Increment(ref _misses);
        }
        return Task.FromResult<IReadOnlyList<TierRecord>>(found);
    }

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_root, record.Location);
        using var file = TryOpen(path);
        if (file is null)
        {
            Interlocked.Increment(ref _misses);
            return TierRead.Of(TierReadOutcome.Missing);
        }
        if (RandomAccess.GetLength(file) != destination.Length || !await TryFillAsync(file, destination, cancellationToken))
        {
            return Damaged(path, "its length changed");
        }
        if (!KvRecord.TryRead(destination.Span, out var header, out var error))
        {
            return Damaged(path, error.ToString());
        }
        if (header.Key != record.Key || RecordPath.OfShard(header.Layout) != Path.GetFileName(path))
        {
            return Damaged(path, "it is another record than its name says");
        }
        MarkUsed(file);
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _readBytes, destination.Length);
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
            Interlocked.Increment(ref _refused);
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
                Interlocked.Increment(ref _refused);
                return TierPutOutcome.Full;
            }
            throw;
        }
        Interlocked.Increment(ref _puts);
        Interlocked.Add(ref _putBytes, record.Length);
        return TierPutOutcome.Stored;
    }

    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken)
    {
        var deleted = 0;
        foreach (var file in DirectoryWalk.Files(Path.Combine(_root, RecordPath.OfChunk(key))))
        {
            cancellationToken.ThrowIfCancellationRequested();
            deleted += _capacity.TryDelete(file) ? 1 : 0;
        }
        return Task.FromResult(deleted);
    }

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask; // Directory calls have no asynchronous form.
        foreach (var file in DirectoryWalk.Records(_root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryGetLength(file) is { } bytes)
            {
                yield return new TierListing(Path.GetRelativePath(_root, file.FullName), bytes, file.LastWriteTimeUtc);
            }
        }
    }

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken) => Task.FromResult(_capacity.Measure(cancellationToken));

    public ValueTask DisposeAsync()
    {
        _capacity.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static long? TryGetLength(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
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
            using (var file = File.OpenHandle(
                temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.Asynchronous, record.Length))
            {
                await RandomAccess.WriteAsync(file, record, 0, cancellationToken);
                if (_options.FlushToDisk)
                {
                    RandomAccess.FlushToDisk(file);
                }
            }
            MoveIntoPlace(temporary, chunk, target);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void MoveIntoPlace(string temporary, string chunk, string target)
    {
        System.IO.Directory.CreateDirectory(chunk);
        try
        {
            File.Move(temporary, target, overwrite: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Eviction, here or on another node, removed the empty directory in between.
            System.IO.Directory.CreateDirectory(chunk);
            File.Move(temporary, target, overwrite: true);
        }
    }

    /// <summary>Makes the directory of files being written and, once, clears what dead processes left in it.</summary>
    private void PrepareIncoming()
    {
        System.IO.Directory.CreateDirectory(_incoming); // Each time: whoever empties the directory under a running node must not stop it.
        if (Interlocked.Exchange(ref _incomingCleared, true))
        {
            return;
        }
        foreach (var file in new DirectoryInfo(_incoming).EnumerateFiles().Take(_options.ScanFilesMax))
        {
            if (Guid.TryParseExact(file.Name, "n", out _) && _time.GetUtcNow() - file.LastWriteTimeUtc > AbandonedAfter)
            {
                file.Delete();
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

    private TierRead Damaged(string path, string reason)
    {
        Interlocked.Increment(ref _damaged);
        _capacity.TryDelete(new FileInfo(path));
        DirectoryLog.RecordDamaged(_logger, path, reason);
        return TierRead.Of(TierReadOutcome.Damaged);
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
