using Ferry.Kv.Hashing;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;

namespace Ferry.Benchmarks.Remote;

/// <summary>Records of one size under as many names as one likes: one payload for each worker, and a header written anew for each name.</summary>
internal sealed class BenchRecords(int payloadBytes, int workers)
{
    private readonly AlignedBytes[] _records = [.. Enumerable.Range(0, workers).Select(worker => new AlignedBytes(KvRecord.HeaderBytes + payloadBytes, worker))];
    private readonly KvRecordHeader?[] _headers = new KvRecordHeader?[workers];

    public int RecordBytes => KvRecord.HeaderBytes + payloadBytes;

    /// <summary>The worker's record under that number; valid until its next one.</summary>
    public (KvRecordHeader Header, ReadOnlyMemory<byte> Record) Next(int worker, int number)
    {
        var memory = _records[worker].Memory;
        var described = _headers[worker] ??= KvRecordHeader.Describe(Layout(), TestRecords.Model, 0, TestRecords.Hash(0), "", memory.Span[KvRecord.HeaderBytes..]);
        var header = described with { Hash = Hash(number) };
        KvRecord.Write(header, memory.Span);
        return (header, memory);
    }

    public Memory<byte> Destination(int worker) => _records[worker].Memory;

    public static ChunkHash Hash(int number) => TestRecords.Hash(number);

    /// <summary>Bytes without axes: any size is a record.</summary>
    private KvLayout Layout() => KvLayout.Opaque(payloadBytes);
}
