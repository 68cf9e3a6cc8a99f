using Ferry.Cache.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A stored value where it lies in the arena.</summary>
internal sealed class RecordClientValue(ChunkLease chunk, ReadOnlyMemory<byte> note) : ClientValue
{
    public override ReadOnlyMemory<byte> Bytes => chunk.Shards[0].Payload;

    public override ReadOnlyMemory<byte> Note => note;

    public override void Dispose() => chunk.Dispose();
}
