using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.TestKit.Cache;

/// <summary>A tier in a dictionary, which fails, hangs or lies when told to.</summary>
public sealed class FaultyTier(string name = "faulty") : IKvTier
{
    private readonly ConcurrentDictionary<(KvKey Key, string Shard), (KvRecordHeader Header, byte[] Record)> _records = new();
    private long _reads;
    private long _puts;
    private long _damaged;

    /// <summary>Thrown by every operation while set.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Awaited by every operation, deaf to cancellation, while set: a hung mount.</summary>
    public TaskCompletionSource? Hang { get; set; }

    /// <summary>Awaited in the middle of a read, after the first half of the bytes has been written.</summary>
    public TaskCompletionSource? HangInRead { get; set; }

    /// <summary>Awaited before a put takes effect.</summary>
    public TaskCompletionSource? HangInPut { get; set; }

    public int Finds { get; private set; }

    /// <summary>Calls of <see cref="FindManyAsync"/>.</summary>
    public int BatchedFinds { get; private set; }

    public int PutsBegun { get; private set; }

    public int Count => _records.Count;

    public string Name => name;

    public string Kind => "faulty";

    public TierCapabilities Capabilities { get; init; } =
        TierCapabilities.Read | TierCapabilities.Put | TierCapabilities.Delete | TierCapabilities.List | TierCapabilities.Measure;

    public TierCounts Counts => new(Volatile.Read(ref _reads), 0, 0, Volatile.Read(ref _damaged), Volatile.Read(ref _puts), 0, 0, 0);

    /// <summary>Flips one bit of every record held.</summary>
    public void Damage(int byteIndex)
    {
        foreach (var (_, record) in _records.Values)
        {
            record[byteIndex] ^= 0x10;
        }
    }

    public async Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken)
    {
        await FailAsync();
        Finds++;
        return [.. _records.Where(pair => pair.Key.Key == key).Select(pair => Describe(pair.Key.Key, pair.Key.Shard, pair.Value.Header, pair.Value.Record.Length))];
    }

    public async Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        BatchedFinds++;
        var found = new List<IReadOnlyList<TierRecord>>();
        foreach (var key in keys)
        {
            found.Add(await FindAsync(key, cancellationToken));
        }
        return found;
    }

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (HangInRead is null) // One that hangs is deaf.
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
        await FailAsync();
        if (!_records.TryGetValue((record.Key, record.Location), out var held))
        {
            return TierRead.Of(TierReadOutcome.Missing);
        }
        var half = destination.Length / 2;
        held.Record.AsSpan(0, half).CopyTo(destination.Span);
        if (HangInRead is { } hang)
        {
            await hang.Task;
        }
        held.Record.AsSpan(half).CopyTo(destination.Span[half..]);
        if (!KvRecord.TryRead(destination.Span, out var header, out _))
        {
            Interlocked.Increment(ref _damaged);
            _records.TryRemove((record.Key, record.Location), out _);
            return TierRead.Of(TierReadOutcome.Damaged);
        }
        Interlocked.Increment(ref _reads);
        return new TierRead(TierReadOutcome.Read, header);
    }

    public async Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        if (HangInPut is null && Hang is null)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
        await FailAsync();
        PutsBegun++;
        if (HangInPut is { } hang)
        {
            await hang.Task;
        }
        Interlocked.Increment(ref _puts);
        return _records.TryAdd((header.Key, header.Layout.ToString()), (header, record.ToArray())) ? TierPutOutcome.Stored : TierPutOutcome.Present;
    }

    public async Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken)
    {
        await FailAsync();
        return _records.Keys.Count(held => held.Key == key && _records.TryRemove(held, out _));
    }

    public async IAsyncEnumerable<TierListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await FailAsync();
        foreach (var ((key, shard), (header, record)) in _records)
        {
            yield return new TierListing(shard, record.Length, DateTimeOffset.UnixEpoch) { Record = Describe(key, shard, header, record.Length) };
        }
    }

    public async Task<TierUsage> MeasureAsync(CancellationToken cancellationToken)
    {
        await FailAsync();
        return new TierUsage(_records.Count, _records.Values.Sum(held => (long)held.Record.Length), null, false);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static TierRecord Describe(KvKey key, string shard, KvRecordHeader header, int recordBytes)
    {
        var layout = header.Layout;
        return new TierRecord(key, unchecked((ulong)ShardCover.FamilyOf(layout).GetHashCode()), layout.FirstHead, layout.Heads, layout.ModelHeads, recordBytes, shard);
    }

    private async Task FailAsync()
    {
        if (Hang is { } hang)
        {
            await hang.Task;
        }
        if (Fault is { } fault)
        {
            throw fault;
        }
    }
}
