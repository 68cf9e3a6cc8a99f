using System.IO.Hashing;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Records;

/// <summary>Chunks by number and by key. Not thread-safe: the store's lock guards it.</summary>
internal sealed class ChunkTable(SaltTable salts, int unitBytes) : IEvictionNodes
{
    public const int None = Slabs<ChunkSlot>.None;

    // Differs from process to process, so that nobody can make up keys that all fall into one place.
    private static readonly long Seed = ((long)HashCode.Combine(nameof(ChunkTable)) << 32) | (uint)HashCode.Combine(nameof(Seed));

    private readonly Slabs<ChunkSlot> _slots = new();
    private readonly ChunkMap _map = new();
    private readonly Interned<UInt128> _models = new();
    private int _free = None;
    private (string Name, int Number, long Version) _lastSalt = (string.Empty, None, 0); // A chain has one salt and one model: look each up once.
    private (UInt128 Model, int Number) _lastModel = (0, None);

    public int Count => _map.Count;

    /// <summary>Numbers in use and not: a walk goes from 0 to one less.</summary>
    public int NumberCount => _slots.Count;

    public ref ChunkSlot this[int chunk] => ref _slots[chunk];

    public ref EvictionLink LinkOf(int node) => ref _slots[node].Link;

    public long BytesOf(int node) => (long)_slots[node].Units * unitBytes;

    public ulong FingerprintOf(int node)
    {
        ref var slot = ref _slots[node];
        return XxHash3.HashToUInt64(slot.Hash.Bytes, Seed ^ HashCode.Combine(salts[slot.Salt], _models[slot.Model]));
    }

    public bool IsInUse(int chunk) => _slots[chunk].RecordCount > 0;

    public KvKey KeyOf(int chunk) => new(salts[_slots[chunk].Salt], _models[_slots[chunk].Model], _slots[chunk].Hash);

    public int Find(in KvKey key) => TryResolve(key, out var salt, out var model) ? Find(key, salt, model, HashOf(key, salt, model)) : None;

    /// <summary>The hash under which <see cref="Find(in KvKey, ulong, int)"/> looks, or 0 for a key whose salt or model nobody has; and the memory for it asked for.</summary>
    public ulong Prefetch(in KvKey key)
    {
        if (!TryResolve(key, out var salt, out var model))
        {
            return 0;
        }
        var hash = HashOf(key, salt, model);
        _map.Prefetch(hash);
        return hash;
    }

    /// <summary>Asks for the memory of the chunk that <see cref="Find(in KvKey, ulong, int)"/> will look at first.</summary>
    /// <returns>That chunk, or none.</returns>
    public int PrefetchSlot(ulong hash)
    {
        var chunk = hash == 0 ? None : _map.First(hash, out _);
        if (chunk != None)
        {
            ref var slot = ref _slots[chunk];
            CacheLines.Prefetch(ref slot.Hash);
            CacheLines.Prefetch(ref slot.Link);
        }
        return chunk;
    }

    /// <summary>Asks for the memory of the chunks beside this one in its policy's list.</summary>
    public void PrefetchNeighbours(int chunk)
    {
        var (previous, next) = (_slots[chunk].Link.Previous, _slots[chunk].Link.Next);
        if ((uint)previous < (uint)_slots.Count)
        {
            CacheLines.Prefetch(ref _slots[previous].Link);
        }
        if ((uint)next < (uint)_slots.Count)
        {
            CacheLines.Prefetch(ref _slots[next].Link);
        }
    }

    /// <param name="hash">As <see cref="Prefetch"/> gave it.</param>
    /// <param name="likely">As <see cref="PrefetchSlot"/> gave it, under the same lock: where that found nobody, nobody is there.</param>
    public int Find(in KvKey key, ulong hash, int likely)
    {
        if (likely == None || !TryResolve(key, out var salt, out var model))
        {
            return None;
        }
        return Is(likely, key, salt, model) ? likely : Find(key, salt, model, hash);
    }

    /// <summary>A new chunk under a key that is not there, without records.</summary>
    public int Add(in KvKey key, uint now)
    {
        var chunk = _free;
        if (chunk == None)
        {
            chunk = _slots.Append();
        }
        else
        {
            _free = _slots[chunk].FirstRecord;
        }
        ref var slot = ref _slots[chunk];
        slot = new ChunkSlot
        {
            Hash = key.Hash,
            Salt = salts.Take(key.Salt),
            Model = _models.Take(key.Model),
            FirstRecord = RecordTable.None,
            BornAt = now,
            UsedAt = now,
        };
        _map.Add(HashOf(key, slot.Salt, slot.Model), chunk);
        return chunk;
    }

    /// <summary>The chunk has no records and no policy holds it.</summary>
    public void Remove(int chunk)
    {
        ref var slot = ref _slots[chunk];
        _map.Remove(HashOf(KeyOf(chunk), slot.Salt, slot.Model), chunk);
        salts.Leave(slot.Salt);
        if (_models.Leave(slot.Model))
        {
            _lastModel = (0, None); // Its number may mean another from now on.
        }
        slot = default;
        slot.FirstRecord = _free;
        _free = chunk;
    }

    private static ulong HashOf(in KvKey key, int salt, int model)
    {
        var hash = key.Hash.Scatter((ulong)Seed);
        hash = (hash ^ (((ulong)(uint)salt << 32) | (uint)model)) * 0x9e37_79b9_7f4a_7c15; // 2^64 over the golden ratio: what differs reaches the top bits.
        return hash | 1;
    }

    private bool TryResolve(in KvKey key, out int salt, out int model)
    {
        (salt, model) = (_lastSalt.Number, _lastModel.Number);
        if (salt == None || _lastSalt.Version != salts.Version || !string.Equals(_lastSalt.Name, key.Salt, StringComparison.Ordinal))
        {
            if (!salts.TryFind(key.Salt, out salt))
            {
                return false;
            }
            _lastSalt = (key.Salt, salt, salts.Version);
        }
        if (model == None || _lastModel.Model != key.Model)
        {
            if (!_models.TryFind(key.Model, out model))
            {
                return false;
            }
            _lastModel = (key.Model, model);
        }
        return true;
    }

    private int Find(in KvKey key, int salt, int model, ulong hash)
    {
        for (var chunk = _map.First(hash, out var place); chunk >= 0; chunk = _map.Next(hash, ref place))
        {
            if (Is(chunk, key, salt, model))
            {
                return chunk;
            }
        }
        return None;
    }

    private bool Is(int chunk, in KvKey key, int salt, int model)
    {
        ref var slot = ref _slots[chunk];
        return slot.Hash == key.Hash && slot.Salt == salt && slot.Model == model;
    }
}
