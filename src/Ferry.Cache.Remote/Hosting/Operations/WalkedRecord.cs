using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>One record on a walk over a tier, its bytes in memory until it is disposed.</summary>
/// <param name="Location">The tier's own name for it; the key in hexadecimal for memory.</param>
internal sealed record WalkedRecord(string Location, KvRecordHeader Header, ReadOnlyMemory<byte> Record, IDisposable Owner) : IDisposable
{
    public void Dispose() => Owner.Dispose();
}
