using Ferry.Cache.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A stored value where it lies in the arena.</summary>
/// <param name="makeNote">For a record without a note; null where nothing is known of it.</param>
internal sealed class RecordClientValue(ChunkLease chunk, Func<byte[]?>? makeNote) : ClientValue
{
    public override ReadOnlyMemory<byte> Bytes { get; } = chunk.Shards[0].Payload;

    // Made when asked for: RESP asks for it by a key of its own, and a header costs more than a small value.
    public override ReadOnlyMemory<byte> Note => chunk.Shards[0].Header.ClientNote is { IsEmpty: false } stored ? stored.Span.ToArray() : makeNote?.Invoke();

    public override void Dispose() => chunk.Dispose();
}
