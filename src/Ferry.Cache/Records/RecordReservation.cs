using Ferry.Cache.Arena;
using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>Room for a record that nobody sees yet: fill it, then commit it. Disposing without a commit gives the room back.</summary>
/// <remarks>One owner, one thread at a time.</remarks>
public sealed class RecordReservation : IDisposable
{
    private readonly RecordStore _store;
    private ArenaSlot? _slot;

    internal RecordReservation(RecordStore store, ArenaSlot slot)
    {
        _store = store;
        _slot = slot;
    }

    /// <summary>Header and payload; undefined until filled.</summary>
    public Memory<byte> Record => Slot.Memory;

    /// <summary>Where the record starts, from the arena's base address.</summary>
    public long ArenaOffset => Slot.Offset;

    private ArenaSlot Slot => _slot ?? throw new InvalidOperationException("The reservation was committed or given back.");

    /// <summary>Makes the record visible. The payload is in place; this computes its checksum and writes the header in front of it.</summary>
    /// <param name="header">All but the checksum, which is filled in.</param>
    /// <returns>A lease of this record, or of the one that was there with the same key and layout: then these bytes are dropped.</returns>
    /// <exception cref="ArgumentException">The header does not fit the reserved size.</exception>
    public RecordLease Commit(KvRecordHeader header)
    {
        RequireFit(header);
        var bytes = Slot.GetSpan();
        var sealedHeader = header with { PayloadChecksum = KvRecord.Checksum(bytes[KvRecord.HeaderBytes..]) };
        KvRecord.Write(sealedHeader, bytes);
        return Publish(sealedHeader);
    }

    /// <summary>Makes a record visible that came whole from elsewhere.</summary>
    /// <param name="header">As read from these very bytes by somebody who also verified the payload against it.</param>
    /// <returns>As <see cref="Commit"/>.</returns>
    public RecordLease CommitVerified(KvRecordHeader header)
    {
        RequireFit(header);
        return Publish(header);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _slot, null) is { } slot)
        {
            _store.Abandon(slot);
        }
    }

    private void RequireFit(KvRecordHeader header)
    {
        if (header.RecordBytes != Slot.ByteCount)
        {
            throw new ArgumentException($"The record has {header.RecordBytes} bytes, but {Slot.ByteCount} were reserved.", nameof(header));
        }
    }

    private RecordLease Publish(KvRecordHeader header)
    {
        var slot = Interlocked.Exchange(ref _slot, null)
            ?? throw new InvalidOperationException("The reservation was committed or given back.");
        return _store.Publish(header, slot);
    }
}
