using System.Buffers;
using System.Buffers.Binary;
using MessagePack;

namespace Ferry.Router.Prefixes.Events;

/// <summary>Reads vLLM's batches of KV events and applies them to the index. One thread.</summary>
/// <remarks>
/// Two shapes are on the wire. Until 2026 a batch is <c>[ts, [event…], dp_rank]</c> and an event <c>["BlockStored", block_hashes,
/// parent_block_hash, token_ids, block_size, lora_id, medium, lora_name, extra_keys, group_idx…]</c>; since then both may be maps with
/// these names, an event's kind under <c>type</c>. Fields at the end may be missing. Each of the two is taken, also mixed. A hash is 32
/// bytes, of which the last 8 count, or a whole number.
/// </remarks>
internal sealed class KvEventReader(KvEventSink sink)
{
    private const int MaxEvents = 65_536;
    private const int MaxBlocks = 65_536;
    private const int MaxTokens = 1 << 22;

    private static readonly string[] StoredFields = ["block_hashes", "parent_block_hash", "token_ids", "block_size", "lora_id", "medium", "lora_name", "extra_keys", "group_idx"];
    private static readonly string[] RemovedFields = ["block_hashes", "medium", "group_idx"];

    /// <summary>Applies one batch.</summary>
    /// <returns>Null, or why the bytes are no batch; what stands before the fault has been applied.</returns>
    public string? TryApply(int slot, ReadOnlyMemory<byte> payload)
    {
        try
        {
            var reader = new MessagePackReader(payload);
            ApplyBatch(slot, ref reader);
            return null;
        }
        catch (Exception exception) when (exception is MessagePackSerializationException or EndOfStreamException or OverflowException or InvalidOperationException or ArgumentException)
        {
            return exception.Message;
        }
        finally
        {
            sink.Settle();
        }
    }

    private void ApplyBatch(int slot, ref MessagePackReader reader)
    {
        if (reader.NextMessagePackType == MessagePackType.Map)
        {
            for (var left = reader.ReadMapHeader(); left > 0; left--)
            {
                if (reader.ReadString() == "events") { ApplyEvents(slot, ref reader); }
                else { reader.Skip(); }
            }
            return;
        }
        if (reader.ReadArrayHeader() < 2) { throw new MessagePackSerializationException("a batch has a time and its events"); }
        reader.Skip();   // the time
        ApplyEvents(slot, ref reader);
    }

    private void ApplyEvents(int slot, ref MessagePackReader reader)
    {
        var count = Bounded(reader.ReadArrayHeader(), MaxEvents, "events");
        for (var index = 0; index < count; index++)
        {
            var stored = new StoredBlocks();
            try
            {
                ApplyEvent(slot, ref reader, ref stored);
            }
            finally
            {
                stored.Return();
            }
        }
    }

    private void ApplyEvent(int slot, ref MessagePackReader reader, ref StoredBlocks stored)
    {
        string? kind;
        if (reader.NextMessagePackType == MessagePackType.Map)
        {
            // The kind is written first (msgspec writes a tag first); its name decides what the other fields mean.
            var fields = reader.ReadMapHeader();
            kind = fields > 0 && reader.ReadString() == "type" ? reader.ReadString() : throw new MessagePackSerializationException("an event without its type");
            for (var field = 1; field < fields; field++) { ReadField(reader.ReadString() ?? "", ref reader, ref stored); }
        }
        else
        {
            var fields = reader.ReadArrayHeader();
            kind = fields > 0 ? reader.ReadString() : null;
            var names = kind == "BlockRemoved" ? RemovedFields : StoredFields;
            for (var field = 1; field < fields; field++) { ReadField(field <= names.Length ? names[field - 1] : "", ref reader, ref stored); }
        }
        switch (kind)
        {
            case "BlockStored":
                sink.Stored(slot, stored);
                break;
            case "BlockRemoved":
                sink.Removed(slot, stored);
                break;
            case "AllBlocksCleared":
                sink.Cleared(slot);
                break;
            default:
                break;   // a kind of a later version says nothing that would make ours wrong
        }
    }

    private static void ReadField(string name, ref MessagePackReader reader, ref StoredBlocks stored)
    {
        switch (name)
        {
            case "block_hashes":
                stored.HashCount = Bounded(reader.ReadArrayHeader(), MaxBlocks, "blocks");
                stored.Hashes = ArrayPool<ulong>.Shared.Rent(Math.Max(1, stored.HashCount));
                for (var index = 0; index < stored.HashCount; index++) { stored.Hashes[index] = ReadHash(ref reader); }
                break;
            case "parent_block_hash":
                if (!reader.TryReadNil()) { (stored.Parent, stored.HasParent) = (ReadHash(ref reader), true); }
                break;
            case "token_ids":
                stored.TokenCount = Bounded(reader.ReadArrayHeader(), MaxTokens, "tokens");
                stored.Tokens = ArrayPool<int>.Shared.Rent(Math.Max(1, stored.TokenCount));
                for (var index = 0; index < stored.TokenCount; index++) { stored.Tokens[index] = reader.ReadInt32(); }
                break;
            case "block_size":
                stored.BlockTokens = reader.ReadInt32();
                break;
            case "medium":
                stored.Tier = TierOf(reader.TryReadNil() ? null : reader.ReadString());
                break;
            case "lora_name":
                stored.Adapter = reader.TryReadNil() ? null : reader.ReadString();
                break;
            case "extra_keys":
                if (!reader.TryReadNil()) { stored.Extras = reader.ReadRaw(); }
                break;
            case "group_idx":
                stored.Group = reader.TryReadNil() ? 0 : reader.ReadInt32();
                break;
            default:
                reader.Skip();
                break;
        }
    }

    /// <summary>The low 64 bits: of bytes, the last eight, big-endian.</summary>
    private static ulong ReadHash(ref MessagePackReader reader)
    {
        if (reader.NextMessagePackType != MessagePackType.Binary)
        {
            return reader.NextCode is >= MessagePackCode.Int8 and <= MessagePackCode.Int64 or >= MessagePackCode.MinNegativeFixInt ? (ulong)reader.ReadInt64() : reader.ReadUInt64();
        }
        var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException("a hash that is nil");
        if (bytes.Length < sizeof(ulong)) { throw new MessagePackSerializationException($"a hash of {bytes.Length} bytes"); }
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        bytes.Slice(bytes.Length - sizeof(ulong)).CopyTo(last);
        return BinaryPrimitives.ReadUInt64BigEndian(last);
    }

    private static KvTier TierOf(string? medium) => medium switch
    {
        null or "GPU" => KvTier.Device,
        "CPU" => KvTier.Host,
        _ => KvTier.Storage,
    };

    private static int Bounded(int count, int limit, string what) =>
        count <= limit ? count : throw new MessagePackSerializationException($"{count} {what}, more than {limit}");
}
