using System.Buffers;

namespace Ferry.Cache.Records;

/// <summary>A record's bytes as <see cref="Memory{T}"/>.</summary>
/// <remarks>
/// Memory made from it throws once the record is gone, and a pin (<see cref="MemoryHandle"/>) is a reference of its own, so that an abandoned read never
/// writes into another record. A span, however, is only as good as the lease or the reservation that its maker holds.
/// </remarks>
internal sealed class RecordMemory(RecordStore store, int record, uint generation, long offset, int recordBytes) : MemoryManager<byte>
{
    /// <exception cref="ObjectDisposedException">The record is gone.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(!store.Records.IsHeld(record, generation), this);
        return store.Arena.SpanOf(offset, recordBytes);
    }

    /// <summary>A reference that <see cref="MemoryHandle.Dispose"/> ends.</summary>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)recordBytes, nameof(elementIndex));
        ObjectDisposedException.ThrowIf(!store.Records.TryAddReference(record, generation), this);
        return store.Arena.HandleOf(offset + elementIndex, this);
    }

    public override void Unpin() => store.EndReference(record);

    /// <summary>Nothing: the record ends with its references.</summary>
    protected override void Dispose(bool disposing)
    {
    }
}
