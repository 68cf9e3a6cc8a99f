using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>Moves or copies records from one tier to another.</summary>
internal sealed class RecordMover(RecordCache cache)
{
    public long Moved { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Records that the target had already.</summary>
    public long Present { get; private set; }

    /// <summary>Records that the target did not take; they stay where they were.</summary>
    public long Refused { get; private set; }

    public long Unreadable => _walk?.Unreadable ?? 0;

    private RecordWalk? _walk;

    /// <param name="keep">True: copy.</param>
    /// <param name="prefix">Of the clients' keys; empty for all.</param>
    /// <param name="told">Called after each record.</param>
    public async Task MoveAsync(string from, string to, bool keep, string prefix, Func<ValueTask> told, CancellationToken cancellationToken)
    {
        _walk = new RecordWalk(cache);
        var target = to == Places.Memory ? null : Places.Find(cache, to);
        await foreach (var record in _walk.ReadAsync(from, cancellationToken))
        {
            using (record)
            {
                if (!record.Header.ClientKey.ToString().StartsWith(prefix, StringComparison.Ordinal))
                {
                    continue;
                }
                if (await PutAsync(target, record, cancellationToken))
                {
                    Moved++;
                    Bytes += record.Record.Length;
                    if (!keep)
                    {
                        await RemoveAsync(from, record, cancellationToken);
                    }
                }
            }
            await told();
        }
    }

    private async Task<bool> PutAsync(GuardedTier? target, WalkedRecord record, CancellationToken cancellationToken)
    {
        if (target is null)
        {
            return TryPutInMemory(record);
        }
        var outcome = await target.PutAsync(record.Header, record.Record, cancellationToken);
        Present += outcome == TierPutOutcome.Present ? 1 : 0;
        Refused += outcome is TierPutOutcome.Stored or TierPutOutcome.Present ? 0 : 1;
        return outcome is TierPutOutcome.Stored or TierPutOutcome.Present;
    }

    private bool TryPutInMemory(WalkedRecord record)
    {
        if (cache.Memory.Contains(record.Header.Key, record.Header.Layout))
        {
            Present++;
            return true;
        }
        if (record.Owner is Records.RecordReservation room)
        {
            room.CommitVerified(record.Header).Dispose();   // the bytes are in their place: the walk read them there
            return true;
        }
        Refused++;
        return false;
    }

    private async Task RemoveAsync(string from, WalkedRecord record, CancellationToken cancellationToken)
    {
        if (from == Places.Memory)
        {
            cache.Memory.Remove(record.Header.Key);
            return;
        }
        await Places.Find(cache, from).DeleteAsync(record.Header.Key, cancellationToken);
    }
}
