using Ferry.Kv.Hashing;

namespace Ferry.Transfer.SideChannel;

/// <summary>Asks the owner where the records of chunks lie, and for a lease on them.</summary>
/// <param name="RequestId">The owner's request (<c>remote_request_id</c>) under which it holds them; empty when only the keys count.</param>
/// <param name="Salt">Keeps tenants apart; of all chunks.</param>
/// <param name="Model">Fingerprint; of all chunks.</param>
/// <param name="Chunks">Chained hashes, first chunk first.</param>
public sealed record LocateRequest(string RequestId, string Salt, UInt128 Model, IReadOnlyList<ChunkHash> Chunks);
