using System.Buffers;
using System.Buffers.Binary;
using MessagePack;

namespace Ferry.TestKit.Router;

/// <summary>vLLM's KV events as its publisher writes them, in the array form and in the map form.</summary>
public static class KvEventBytes
{
    private const int HashBytes = 32;

    public static byte[] Batch(bool isMap, params ReadOnlySpan<ReadOnlySequence<byte>> events)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        if (isMap) { writer.WriteMapHeader(3); } else { writer.WriteArrayHeader(3); }
        if (isMap) { writer.Write("ts"); }
        writer.Write(1754900000.25);
        if (isMap) { writer.Write("events"); }
        writer.WriteArrayHeader(events.Length);
        foreach (var body in events) { writer.WriteRaw(body); }
        if (isMap) { writer.Write("data_parallel_rank"); }
        writer.Write(0);
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    public static ReadOnlySequence<byte> Stored(
        ulong[] hashes, ulong? parent, int[] tokens, int blockTokens, string? medium = "GPU", string? adapter = null, string?[]?[]? extras = null, int group = 0,
        bool isMap = false, bool hashesAreNumbers = false)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        Begin(ref writer, "BlockStored", 9, isMap);
        Name(ref writer, "block_hashes", isMap);
        WriteHashes(ref writer, hashes, hashesAreNumbers);
        Name(ref writer, "parent_block_hash", isMap);
        if (parent is { } hash) { WriteHash(ref writer, hash, hashesAreNumbers); } else { writer.WriteNil(); }
        Name(ref writer, "token_ids", isMap);
        writer.WriteArrayHeader(tokens.Length);
        foreach (var token in tokens) { writer.Write(token); }
        Name(ref writer, "block_size", isMap);
        writer.Write(blockTokens);
        Name(ref writer, "lora_id", isMap);
        writer.WriteNil();
        Name(ref writer, "medium", isMap);
        writer.Write(medium);
        Name(ref writer, "lora_name", isMap);
        writer.Write(adapter);
        Name(ref writer, "extra_keys", isMap);
        WriteExtras(ref writer, extras);
        Name(ref writer, "group_idx", isMap);
        writer.Write(group);
        writer.Flush();
        return new ReadOnlySequence<byte>(bytes.WrittenMemory);
    }

    public static ReadOnlySequence<byte> Removed(ulong[] hashes, string medium, bool isMap = false, bool hashesAreNumbers = false)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        Begin(ref writer, "BlockRemoved", 2, isMap);
        Name(ref writer, "block_hashes", isMap);
        WriteHashes(ref writer, hashes, hashesAreNumbers);
        Name(ref writer, "medium", isMap);
        writer.Write(medium);
        writer.Flush();
        return new ReadOnlySequence<byte>(bytes.WrittenMemory);
    }

    public static ReadOnlySequence<byte> Cleared(bool isMap = false)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        Begin(ref writer, "AllBlocksCleared", 0, isMap);
        writer.Flush();
        return new ReadOnlySequence<byte>(bytes.WrittenMemory);
    }

    private static void Begin(ref MessagePackWriter writer, string kind, int fields, bool isMap)
    {
        if (isMap)
        {
            writer.WriteMapHeader(fields + 1);
            writer.Write("type");
        }
        else
        {
            writer.WriteArrayHeader(fields + 1);
        }
        writer.Write(kind);
    }

    private static void Name(ref MessagePackWriter writer, string name, bool isMap)
    {
        if (isMap) { writer.Write(name); }
    }

    private static void WriteHashes(ref MessagePackWriter writer, ulong[] hashes, bool areNumbers)
    {
        writer.WriteArrayHeader(hashes.Length);
        foreach (var hash in hashes) { WriteHash(ref writer, hash, areNumbers); }
    }

    private static void WriteHash(ref MessagePackWriter writer, ulong hash, bool isNumber)
    {
        if (isNumber)
        {
            writer.Write(hash);
            return;
        }
        var bytes = new byte[HashBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(HashBytes - sizeof(ulong)), hash);
        writer.Write(bytes);
    }

    private static void WriteExtras(ref MessagePackWriter writer, string?[]?[]? extras)
    {
        if (extras is null)
        {
            writer.WriteNil();
            return;
        }
        writer.WriteArrayHeader(extras.Length);
        foreach (var block in extras)
        {
            if (block is null)
            {
                writer.WriteNil();
                continue;
            }
            writer.WriteArrayHeader(block.Length);
            foreach (var text in block) { writer.Write(text); }
        }
    }
}
