using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Clients;

/// <summary>The keys of other protocols' clients over the exchange's records.</summary>
public sealed class ClientStore(RecordCache cache, RecordCacheOptions options) : IClientStore
{
    private static readonly ChunkQuery OpaqueQuery = new(0, 1, 1, IsUsable: static family => family.IsOpaque);

    public long Count => cache.Memory.Snapshot().Records;

    public async ValueTask<bool> ExistsAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        using var value = await TryGetAsync(key, cancellationToken);
        return value is not null;
    }

    public async ValueTask<ClientValue?> TryGetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        if (IsBad(key.Span) || await cache.TryGetAsync(ClientKeys.Opaque(key.Span), OpaqueQuery, cancellationToken) is not { } hit)
        {
            return null;
        }
        return new RecordClientValue(hit.Chunk, hit.Chunk.Shards[0]);
    }

    public ClientPutOutcome BeginPut(ReadOnlySpan<byte> key, int valueBytes, ReadOnlySpan<byte> note, out ClientWrite? write)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(valueBytes);
        write = null;
        if (IsBad(key) || note.Length > KvRecord.MaxClientNoteBytes)
        {
            return ClientPutOutcome.BadKey;
        }
        var recordBytes = (long)KvRecord.HeaderBytes + valueBytes;
        if (recordBytes > options.RecordBytesMax || recordBytes > cache.Memory.Arena.CapacityBytes)
        {
            return ClientPutOutcome.TooLarge;
        }
        if (cache.Memory.TryReserve(recordBytes) is not { } reservation)
        {
            return ClientPutOutcome.Full;
        }
        var record = ClientKeys.Opaque(key);
        var header = new KvRecordHeader(KvLayout.Opaque(valueBytes), record.Model, 0, record.Hash, record.Salt, valueBytes, 0)
        {
            ClientKey = new ByteText(key),
            ClientNote = new ByteText(note),
        };
        write = new RecordClientWrite(reservation, valueBytes, (filled, checksum, _) => Commit(filled, header with { PayloadChecksum = checksum }));
        return ClientPutOutcome.Ready;
    }

    public ValueTask<bool> DeleteAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        ValueTask.FromResult(!IsBad(key.Span) && cache.Memory.Remove(ClientKeys.Opaque(key.Span)) > 0);

    public Task<long> ClearAsync(CancellationToken cancellationToken) => Task.FromResult((long)cache.Memory.Clear());

    public (IReadOnlyList<byte[]> Keys, ulong Cursor) Scan(ulong cursor, int keysMax) => ([], 0);

    private static bool IsBad(ReadOnlySpan<byte> key) => key.Length is 0 or > KvRecord.MaxClientKeyBytes;

    private ValueTask Commit(RecordReservation filled, KvRecordHeader header)
    {
        // Another value may be there under this key: the last writer's stays, as with Redis.
        cache.Memory.Remove(header.Key);
        KvRecord.Write(header, filled.Record.Span);
        using var lease = filled.CommitVerified(header);
        cache.StoreBehind(lease);
        return ValueTask.CompletedTask;
    }
}
