using Ferry.Kv.Hashing;

namespace Ferry.Kv.Keys;

/// <summary>Names the KV of one chunk, whatever its layout: any rank and any vendor finds it by this.</summary>
/// <param name="Salt">Keeps tenants apart; empty for none.</param>
/// <param name="Model">Fingerprint of the model whose KV this is (weights and shape, not its name).</param>
/// <param name="Hash">The chunk's chained hash.</param>
public readonly record struct KvKey(string Salt, UInt128 Model, ChunkHash Hash);
