using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>Moves or copies the records of one tier to another.</summary>
internal sealed class RecordMover(RecordCache cache)
{
    private readonly HashSet<KvKey> _moved = []; // A chunk moves with all its records, each of which the walk names.
    private RecordWalk? _walk;

    /// <summary>Records copied, or chunks moved.</summary>
    public long Moved { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Records that the target did not take; they stay where they were.</summary>
    public long Refused { get; private set; }

    public long Unreadable => _walk?.Unreadable ?? 0;

    /// <param name="keep">True: copy.</param>
    /// <param name="prefix">Of the clients' keys; empty for all.</param>
    /// <param name="told">Called after each record.</param>
    public async Task MoveAsync(string from, string to, bool keep, string prefix, Func<ValueTask> told, CancellationToken cancellationToken)
    {
        _walk = new RecordWalk(cache);
        var target = to == Places.Memory ? null : Places.Find(cache, to);
        await foreach (var record in _walk.ReadAsync(from, cancellationToken))
        {
            var (key, bytes) = (record.Header.Key, record.Record.Length);
            bool isDone;
            using (record)
            {
                if (!record.Header.ClientKey.ToString().StartsWith(prefix, StringComparison.Ordinal))
                {
                    continue;
                }
                isDone = keep && await PutAsync(target, record, cancellationToken);
            }
            // Behind the record's own lease: what is leased here would not leave the memory.
            isDone = keep ? isDone : !_moved.Add(key) || await cache.MoveAsync(key, from, to, cancellationToken) == MoveOutcome.Moved;
            Moved += isDone ? 1 : 0;
            Bytes += isDone ? bytes : 0;
            Refused += isDone ? 0 : 1;
            await told();
        }
    }

    private async Task<bool> PutAsync(GuardedTier? target, WalkedRecord record, CancellationToken cancellationToken)
    {
        if (target is not null)
        {
            return await target.PutAsync(record.Header, record.Record, cancellationToken) is TierPutOutcome.Stored or TierPutOutcome.Present;
        }
        if (!cache.Memory.Contains(record.Header.Key, record.Header.Layout) && record.Owner is Records.RecordReservation room)
        {
            room.CommitVerified(record.Header).Dispose();   // the bytes are in their place: the walk read them there
        }
        return true;
    }
}
