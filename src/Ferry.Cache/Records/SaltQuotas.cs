namespace Ferry.Cache.Records;

/// <summary>What the records of a salt may take of the memory. At its limit a salt loses its own records, whatever others have. Thread-safe.</summary>
public sealed class SaltQuotas
{
    private readonly Lock _storeLock;
    private readonly RecordIndex _index;
    private readonly SaltTable _salts;
    private readonly int _quotasMax;
    private readonly long _capacityBytes;

    internal SaltQuotas(Lock storeLock, RecordIndex index, SaltTable salts, int quotasMax, long capacityBytes) =>
        (_storeLock, _index, _salts, _quotasMax, _capacityBytes) = (storeLock, index, salts, quotasMax, capacityBytes);

    /// <summary>Salts that have a quota, with what they use of it.</summary>
    public IReadOnlyList<SaltUsage> All
    {
        get
        {
            lock (_storeLock)
            {
                return _salts.WithQuota.ConvertAll(salt => new SaltUsage(_salts[salt], _salts.BytesOf(salt), _salts.QuotaOf(salt)));
            }
        }
    }

    /// <summary>What a salt has, and what it may have.</summary>
    public SaltUsage UsageOf(string salt)
    {
        lock (_storeLock)
        {
            return _salts.TryFind(salt, out var number) ? new SaltUsage(salt, _salts.BytesOf(number), _salts.QuotaOf(number)) : new SaltUsage(salt, 0, null);
        }
    }

    /// <summary>Sets what a salt may have in bytes of the arena, alignment included. What it has beyond that and nobody holds is evicted at once.</summary>
    /// <param name="bytes">At least 1; null lifts the limit.</param>
    /// <returns>False when too many salts have a quota.</returns>
    public bool TrySet(string salt, long? bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes ?? 1, 1, nameof(bytes));
        lock (_storeLock)
        {
            var number = _salts.Take(salt);
            var fits = bytes is null || _salts.QuotaOf(number) is not null || _salts.WithQuota.Count < _quotasMax;
            if (fits)
            {
                _index.SetQuota(number, bytes);
                while (bytes is not null && _salts.BytesOf(number) > bytes && _index.TryEvict(number, _capacityBytes))
                {
                    // Until what is left fits, or is held.
                }
            }
            _salts.Leave(number);
            return fits;
        }
    }
}
