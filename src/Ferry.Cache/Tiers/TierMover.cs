using Ferry.Cache.Records;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Tiers;

/// <summary>Moves all records of a chunk from one tier to another. The source lets go only of what the target has whole.</summary>
internal sealed class TierMover(RecordStore memory)
{
    /// <param name="source">Null for memory.</param>
    /// <param name="target">Null for memory.</param>
    public async Task<MoveOutcome> MoveAsync(KvKey key, GuardedTier? source, GuardedTier? target, CancellationToken cancellationToken)
    {
        var outcome = source is null
            ? await FromMemoryAsync(key, target!, cancellationToken)
            : await FromTierAsync(key, source, target, cancellationToken);
        if (outcome == MoveOutcome.Moved && source is null)
        {
            memory.Remove(key);
        }
        else if (outcome == MoveOutcome.Moved && source!.Capabilities.HasFlag(TierCapabilities.Delete))
        {
            await source.DeleteAsync(key, cancellationToken);
        }
        return outcome;
    }

    private async Task<MoveOutcome> FromMemoryAsync(KvKey key, GuardedTier target, CancellationToken cancellationToken)
    {
        if (!memory.Readers.TryLeaseAll(key, out var leases))
        {
            return MoveOutcome.NotFound;
        }
        try
        {
            foreach (var lease in leases)
            {
                if (OutcomeOf(await target.PutAsync(lease.Header, lease.Record, cancellationToken)) is not MoveOutcome.Moved and var failed)
                {
                    return failed;
                }
            }
            return MoveOutcome.Moved;
        }
        finally
        {
            leases.ForEach(lease => lease.Dispose());
        }
    }

    private async Task<MoveOutcome> FromTierAsync(KvKey key, GuardedTier source, GuardedTier? target, CancellationToken cancellationToken)
    {
        var records = await source.FindAsync(key, cancellationToken);
        if (records.Count == 0)
        {
            return MoveOutcome.NotFound;
        }
        foreach (var record in records)
        {
            using var room = memory.TryReserve(record.RecordBytes);
            if (room is null)
            {
                return target is null ? MoveOutcome.TargetFull : MoveOutcome.SourceUnreadable; // No room to carry it through.
            }
            if (await source.ReadAsync(record, room.Record, cancellationToken) is not { Outcome: TierReadOutcome.Read, Header: { } header })
            {
                return MoveOutcome.SourceUnreadable;
            }
            if (target is null)
            {
                room.CommitVerified(header).Dispose();
            }
            else if (OutcomeOf(await target.PutAsync(header, room.Record, cancellationToken)) is not MoveOutcome.Moved and var failed)
            {
                return failed;
            }
        }
        return MoveOutcome.Moved;
    }

    private static MoveOutcome OutcomeOf(TierPutOutcome put) => put switch
    {
        TierPutOutcome.Stored or TierPutOutcome.Present => MoveOutcome.Moved,
        TierPutOutcome.Full => MoveOutcome.TargetFull,
        _ => MoveOutcome.TargetUnavailable,
    };
}
