using Ferry.Kv.Keys;

namespace Ferry.Cache.Records;

/// <summary>Compares keys whole, but hashes only the chunk hash: it is mixed already, and the salt and the model are the same for most.</summary>
internal sealed class KvKeyComparer : IEqualityComparer<KvKey>
{
    public static KvKeyComparer Instance { get; } = new();

    public bool Equals(KvKey x, KvKey y) => x.Hash == y.Hash && x.Model == y.Model && x.Salt == y.Salt;

    public int GetHashCode(KvKey key) => key.Hash.GetHashCode();
}
