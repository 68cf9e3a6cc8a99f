namespace Ferry.Cache.Records;

/// <summary>Salts by number, with the arena bytes of each and what it may have. Not thread-safe: the store's lock guards it.</summary>
internal sealed class SaltTable
{
    public const int None = Interned<string>.None;

    private readonly Interned<string> _names = new();
    private readonly List<State> _states = [];

    /// <summary>Salts that have a quota, in no order.</summary>
    public List<int> WithQuota { get; } = [];

    /// <summary>Bytes of all salts without a quota, and of what has no salt yet.</summary>
    public long SharedBytes { get; private set; }

    public long QuotaBytesSum { get; private set; }

    public string this[int salt] => _names[salt];

    /// <summary>Changes whenever a number may have come to mean another salt.</summary>
    public long Version { get; private set; }

    public int Take(string name)
    {
        var salt = _names.Take(name);
        if (salt == _states.Count)
        {
            _states.Add(new State());
        }
        return salt;
    }

    public void Use(int salt) => _names.Use(salt);

    public void Leave(int salt)
    {
        if (_names.Leave(salt))
        {
            _states[salt] = new State();
            Version++;
        }
    }

    public bool TryFind(string name, out int salt) => _names.TryFind(name, out salt);

    public long BytesOf(int salt) => salt == None ? SharedBytes : _states[salt].Bytes;

    public long? QuotaOf(int salt) => salt == None ? null : _states[salt].Quota;

    /// <summary>The eviction group of the salt's chunks: 0 for those without a quota.</summary>
    public int GroupOf(int salt) => _states[salt].Group;

    /// <summary>Counts bytes of a record for a salt, which the record uses from now on; bytes without a salt for none.</summary>
    public void Charge(int salt, long bytes)
    {
        if (salt == None)
        {
            SharedBytes += bytes;
            return;
        }
        _states[salt].Bytes += bytes;
        SharedBytes += _states[salt].Quota is null ? bytes : 0;
    }

    /// <summary>Sets what a salt may have. A quota is a use of the salt.</summary>
    public void SetQuota(int salt, long? quota, int group)
    {
        var state = _states[salt];
        QuotaBytesSum += (quota ?? 0) - (state.Quota ?? 0);
        if (state.Quota is null && quota is not null)
        {
            SharedBytes -= state.Bytes;
            WithQuota.Add(salt);
            _names.Use(salt);
        }
        (var had, state.Quota, state.Group) = (state.Quota, quota, group);
        if (had is not null && quota is null)
        {
            SharedBytes += state.Bytes;
            WithQuota.Remove(salt);
            Leave(salt);
        }
    }

    private sealed class State
    {
        public long Bytes;
        public long? Quota;
        public int Group;
    }
}
