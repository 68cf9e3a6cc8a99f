using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Benchmarks.Disk;

/// <summary>As many records as one asks for, in a few aligned places, as slots of the arena are: the payload is always the same, the header says which record it is.</summary>
internal sealed class RecordSet : IDisposable
{
    private readonly ConcurrentBag<Memory<byte>> _free = [];
    private readonly AlignedBytes _memory;
    private readonly KvLayout _layout;
    private readonly UInt128 _checksum;

    /// <param name="hugePages">As the arena asks for where the system has them: then the kernel needs fewer requests for a record.</param>
    public RecordSet(int payloadBytes, int placeCount, bool hugePages = true)
    {
        _layout = KvLayout.Opaque(payloadBytes);
        var recordBytes = KvRecord.HeaderBytes + payloadBytes;
        var placeBytes = (recordBytes + 4095) & ~4095;
        _memory = new AlignedBytes((long)placeBytes * placeCount, 1, hugePages);
        for (var place = 0; place < placeCount; place++)
        {
            var record = _memory.Memory.Slice(place * placeBytes, recordBytes);
            _memory.Memory.Slice(KvRecord.HeaderBytes, payloadBytes).CopyTo(record[KvRecord.HeaderBytes..]);
            _free.Add(record);
        }
        _checksum = KvRecord.Checksum(_memory.Memory.Span.Slice(KvRecord.HeaderBytes, payloadBytes));
    }

    public KvKey KeyOf(int number)
    {
        Span<byte> hash = stackalloc byte[32];
        hash.Fill(7);
        MemoryMarshal.Write(hash, number);
        return new KvKey("", 1, new ChunkHash(hash));
    }

    /// <summary>The record in a place of its own until it is returned.</summary>
    public (KvRecordHeader Header, ReadOnlyMemory<byte> Record) Take(int number)
    {
        if (!_free.TryTake(out var record))
        {
            throw new InvalidOperationException("All places are taken.");
        }
        var key = KeyOf(number);
        var header = new KvRecordHeader(_layout, key.Model, 0, key.Hash, key.Salt, _layout.PayloadBytes, _checksum);
        KvRecord.Write(header, record.Span);
        return (header, record);
    }

    public void Return(ReadOnlyMemory<byte> record) => _free.Add(MemoryMarshal.AsMemory(record));

    public void Dispose() => ((IDisposable)_memory).Dispose();
}
