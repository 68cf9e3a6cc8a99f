namespace Ferry.Transfer;

/// <summary>The leases of one agent. The only place that decides whether bytes may leave or come in.</summary>
/// <remarks>
/// A lease that has ended lets no new transfer begin and turns those under way into NACKs, at once. Its <c>ended</c> callback, after which the
/// owner may reuse the memory, comes exactly once and only when the last such transfer has let go. Thread-safe; callbacks run outside the
/// lock on the thread that ended the lease or let go last, and must not throw.
/// </remarks>
public sealed class LeaseTable
{
    private readonly RegionTable _regions;
    private readonly TimeProvider _clock;
    private readonly IEntropy _entropy;
    private readonly LeaseLimits _limits;
    private readonly ulong _generation;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Lease> _leases = [];
    private readonly UseGate _owed = new(); // One use a lease, until its owner has its memory back.

    internal LeaseTable(ulong generation, RegionTable regions, LeaseLimits limits, TimeProvider clock, IEntropy entropy)
    {
        _generation = generation;
        _regions = regions;
        _limits = limits;
        _clock = clock;
        _entropy = entropy;
    }

    /// <summary>Ranges that one lease may have.</summary>
    internal int RangeCountMax => _limits.RangeCountMax;

    /// <summary>Leases that have not ended, or have ended while bytes were leaving.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _leases.Count;
            }
        }
    }

    /// <summary>Grants use of <paramref name="ranges"/>, or null if the table is full or the agent closed.</summary>
    /// <param name="ranges">Not empty, inside registered regions, not overlapping; read during the call only.</param>
    /// <param name="duration">Positive; cut to <see cref="LeaseLimits.DurationMax"/>.</param>
    /// <param name="holder">The reader, if the lease is to end with its last connection; null for a lease that outlives connections.</param>
    /// <param name="ended">From then on nothing reads or writes the memory; called once, unless null is returned.</param>
    /// <param name="rights">What the reader, or writer, may do.</param>
    /// <exception cref="ArgumentException">Ranges or duration are not as said.</exception>
    public Lease? TryGrant(
        IReadOnlyCollection<LeaseRange> ranges, TimeSpan duration, AgentIdentity? holder = null, Action<Lease, LeaseEnd>? ended = null,
        LeaseRights rights = LeaseRights.Read)
    {
        var sorted = CheckedAndSorted(ranges);
        if (duration <= TimeSpan.Zero)
        {
            throw new ArgumentException($"A lease of {duration} would never be alive.", nameof(duration));
        }
        lock (_gate)
        {
            if (_leases.Count >= _limits.LeaseCountMax || !_owed.TryEnter())
            {
                return null;
            }
            var id = _entropy.NextId();
            while (_leases.ContainsKey(id))
            {
                id = _entropy.NextId();
            }
            var lease = new Lease(id, _generation, sorted, holder, ended, rights) { ExpiresAtTimestamp = After(duration) };
            _leases.Add(id, lease);
            return lease;
        }
    }

    /// <summary>Moves the end to <paramref name="duration"/> from now, never nearer than it was. Returns what is left, or null if the lease has ended.</summary>
    public TimeSpan? TryExtend(ulong leaseId, TimeSpan duration)
    {
        lock (_gate)
        {
            if (!_leases.TryGetValue(leaseId, out var lease) || !IsAlive(lease))
            {
                return null;
            }
            lease.ExpiresAtTimestamp = Math.Max(lease.ExpiresAtTimestamp, After(duration));
            return Left(lease);
        }
    }

    /// <summary>What is left of a lease, or null if it has ended.</summary>
    public TimeSpan? TryGetLeft(ulong leaseId)
    {
        lock (_gate)
        {
            return _leases.TryGetValue(leaseId, out var lease) && IsAlive(lease) ? Left(lease) : null;
        }
    }

    /// <summary>Ends a lease whose reader is done. False if it had ended.</summary>
    public bool Release(ulong leaseId) => EndOne(leaseId, LeaseEnd.Released);

    /// <summary>
    /// Ends a lease whose memory the owner wants back. From its return on no read of it can succeed; the memory itself is free
    /// when the lease's callback has come. False if it had ended.
    /// </summary>
    public bool Revoke(ulong leaseId) => EndOne(leaseId, LeaseEnd.Revoked);

    /// <summary>Ends the leases whose time has run out; the agent calls it often. They let nothing be read even before.</summary>
    public int SweepExpired() => EndWhere(lease => !IsAlive(lease), LeaseEnd.Expired);

    /// <summary>Ends the leases of a reader that is gone.</summary>
    internal int EndHeldBy(AgentIdentity holder) => EndWhere(lease => lease.Holder == holder, LeaseEnd.HolderGone);

    /// <summary>Ends every lease and grants no more. Ends itself when the last <c>ended</c> callback has returned, whichever thread made it.</summary>
    internal Task CloseAsync()
    {
        var closing = _owed.CloseAsync();
        EndWhere(static _ => true, LeaseEnd.Closed);
        return closing;
    }

    /// <summary>
    /// Begins a transfer under a lease: <see cref="TransferError.None"/>, and the lease is held until <see cref="EndUse"/>, or why not.
    /// </summary>
    internal TransferError TryUse(ulong leaseId, ulong generation, LeaseRights right, out Lease? lease)
    {
        lease = null;
        if (generation != _generation)
        {
            return TransferError.GenerationMismatch;
        }
        lock (_gate)
        {
            if (!_leases.TryGetValue(leaseId, out var found))
            {
                return TransferError.LeaseUnknown;
            }
            if (StateOf(found) is not TransferError.None and var ended)
            {
                return ended;
            }
            if ((found.Rights & right) == 0)
            {
                return TransferError.NotPermitted;
            }
            found.Uses++;
            lease = found;
            return TransferError.None;
        }
    }

    /// <summary>Whether a lease in use is still alive: asked after its bytes have left and before the reader is told that they are good.</summary>
    internal TransferError Check(Lease lease)
    {
        lock (_gate)
        {
            return StateOf(lease);
        }
    }

    internal void EndUse(Lease lease)
    {
        lock (_gate)
        {
            if (--lease.Uses > 0 || lease.End is null)
            {
                return;
            }
            _leases.Remove(lease.Id);
        }
        GiveBack(lease, lease.End.Value);
    }

    private int EndWhere(Predicate<Lease> condition, LeaseEnd end)
    {
        List<ulong>? ending = null;
        lock (_gate)
        {
            foreach (var lease in _leases.Values)
            {
                if (lease.End is null && condition(lease))
                {
                    (ending ??= []).Add(lease.Id);
                }
            }
        }
        var count = 0;
        foreach (var id in ending ?? [])
        {
            count += EndOne(id, end) ? 1 : 0;
        }
        return count;
    }

    private bool EndOne(ulong leaseId, LeaseEnd end)
    {
        Lease? lease;
        lock (_gate)
        {
            if (!_leases.TryGetValue(leaseId, out lease) || lease.End is not null)
            {
                return false;
            }
            lease.End = end;
            if (lease.Uses > 0)
            {
                return true; // the last EndUse calls back
            }
            _leases.Remove(leaseId);
        }
        GiveBack(lease, end);
        return true;
    }

    private void GiveBack(Lease lease, LeaseEnd end)
    {
        lease.OnEnded?.Invoke(lease, end);
        _owed.Leave();
    }

    private TransferError StateOf(Lease lease) => lease.End switch
    {
        null => IsAlive(lease) ? TransferError.None : TransferError.LeaseExpired,
        LeaseEnd.Expired => TransferError.LeaseExpired,
        LeaseEnd.Released => TransferError.LeaseUnknown,
        _ => TransferError.LeaseRevoked,
    };

    private bool IsAlive(Lease lease) => lease.End is null && _clock.GetTimestamp() < lease.ExpiresAtTimestamp;

    private TimeSpan Left(Lease lease) => _clock.GetElapsedTime(_clock.GetTimestamp(), lease.ExpiresAtTimestamp);

    private long After(TimeSpan duration)
    {
        var capped = duration < _limits.DurationMax ? duration : _limits.DurationMax;
        return _clock.GetTimestamp() + (long)(capped.TotalSeconds * _clock.TimestampFrequency);
    }

    private LeaseRange[] CheckedAndSorted(IReadOnlyCollection<LeaseRange> ranges)
    {
        if (ranges.Count == 0 || ranges.Count > _limits.RangeCountMax)
        {
            throw new ArgumentException($"A lease has 1 to {_limits.RangeCountMax} ranges (RangeCountMax), not {ranges.Count}.", nameof(ranges));
        }
        LeaseRange[] sorted = [.. ranges];
        Array.Sort(sorted, static (left, right) =>
            left.RegionId != right.RegionId ? left.RegionId.CompareTo(right.RegionId) : left.Offset.CompareTo(right.Offset));
        for (var i = 0; i < sorted.Length; i++)
        {
            ref readonly var range = ref sorted[i];
            if (!_regions.TryFind(range.RegionId, out var region) || !region.Contains(range.Offset, range.Bytes))
            {
                throw new ArgumentException($"{range} does not lie inside a registered region.", nameof(ranges));
            }
            if (i > 0 && sorted[i - 1].RegionId == range.RegionId && sorted[i - 1].Offset + sorted[i - 1].Bytes > range.Offset)
            {
                throw new ArgumentException($"{sorted[i - 1]} and {range} overlap.", nameof(ranges));
            }
        }
        return sorted;
    }
}
