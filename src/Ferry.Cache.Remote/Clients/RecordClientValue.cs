using Ferry.Cache.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A stored value where it lies in the arena.</summary>
internal sealed class RecordClientValue(ChunkLease chunk, RecordLease record) : ClientValue
{
    public override ReadOnlyMemory<byte> Bytes => record.Payload;

    public override ReadOnlyMemory<byte> Note { get; } = record.Header.ClientNote.Span.ToArray();

    public override void Dispose() => chunk.Dispose();
}
