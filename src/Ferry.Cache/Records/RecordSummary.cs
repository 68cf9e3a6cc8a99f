using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>One record in a walk over the memory.</summary>
/// <param name="Pin">Null for one that is not pinned by its key.</param>
/// <param name="Age">Time since its chunk came.</param>
/// <param name="Idle">Time since its chunk was stored or found last.</param>
public sealed record RecordSummary(KvRecordHeader Header, long ArenaBytes, int Leases, PinKind? Pin, TimeSpan Age, TimeSpan Idle);
