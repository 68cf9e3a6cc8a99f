using System.IO.Hashing;
using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Clients;
using Ferry.Kv.Hashing;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Benchmarks.Fronts;

/// <summary>A store that puts as the real one does, and takes no checksum: the difference is what the checksum costs. For puts alone.</summary>
internal sealed class UncheckedStore(RecordCache cache) : IClientStore
{
    public long Count => cache.Memory.Snapshot().Records;

    public ClientPutOutcome BeginPut(ReadOnlySpan<byte> key, int valueBytes, ReadOnlySpan<byte> note, out ClientWrite? write)
    {
        Span<byte> hash = stackalloc byte[32];
        XxHash128.Hash(key, hash);
        XxHash128.Hash(hash[..16], hash[16..]);
        var layout = KvLayout.Opaque(valueBytes);
        var header = new KvRecordHeader(layout, 7, 0, new ChunkHash(hash), "", valueBytes, 0);
        var room = cache.Memory.TryReserve(header.Key, layout, PutMode.Replace, out _);
        write = room is null ? null : new Write(room, header);
        return room is null ? ClientPutOutcome.Full : ClientPutOutcome.Ready;
    }

    public ValueTask<bool> ExistsAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<ClientValue?> TryGetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> DeleteAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<long> ClearAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public (IReadOnlyList<byte[]> Keys, ulong Cursor) Scan(ulong cursor, int keysMax) => throw new NotSupportedException();

    private sealed class Write(RecordReservation room, KvRecordHeader header) : ClientWrite
    {
        public override Memory<byte> Bytes => room.Payload;

        public override void Advance(int byteCount)
        {
            // No checksum: that is the point.
        }

        public override void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(room.Payload.Span);

        public override ValueTask CommitAsync(CancellationToken cancellationToken)
        {
            KvRecord.Write(header, room.Record.Span);
            room.CommitVerified(header).Dispose();
            return ValueTask.CompletedTask;
        }

        public override void Dispose() => room.Dispose();
    }
}
