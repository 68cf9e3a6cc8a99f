using System.Buffers;
using Ferry.Kv.Hashing;
using MessagePack;

namespace Ferry.Serving.Events;

/// <summary>Writes a batch as vLLM does: <c>[time, [event…], data-parallel rank]</c>, an event a map that begins with its <c>type</c>. docs/wire/kv-events.md</summary>
internal static class KvEventWriter
{
    /// <summary>vLLM's word for host memory, where the exchange keeps its chunks.</summary>
    private const string Medium = "CPU";

    /// <param name="seconds">Since 1970.</param>
    public static byte[] Write(double seconds, IReadOnlyList<KvEvent> events)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        writer.WriteArrayHeader(3);
        writer.Write(seconds);
        writer.WriteArrayHeader(events.Count);
        foreach (var one in events)
        {
            Write(ref writer, one);
        }
        writer.Write(0);
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(ref MessagePackWriter writer, in KvEvent one)
    {
        switch (one.Kind)
        {
            case KvEventKind.Stored:
                WriteStored(ref writer, one);
                break;
            case KvEventKind.Removed:
                writer.WriteMapHeader(3);
                Name(ref writer, "type", "BlockRemoved");
                WriteHashes(ref writer, one.Hash);
                Name(ref writer, "medium", Medium);
                break;
            default:
                writer.WriteMapHeader(1);
                Name(ref writer, "type", "AllBlocksCleared");
                break;
        }
    }

    private static void WriteStored(ref MessagePackWriter writer, in KvEvent one)
    {
        writer.WriteMapHeader(one.Salt.Length == 0 ? 7 : 8);
        Name(ref writer, "type", "BlockStored");
        WriteHashes(ref writer, one.Hash);
        writer.Write("parent_block_hash");
        if (one.Parent is { } parent)
        {
            WriteHash(ref writer, parent);
        }
        else
        {
            writer.WriteNil();
        }
        writer.Write("token_ids");
        writer.WriteArrayHeader(one.Tokens.Length);
        foreach (var token in one.Tokens)
        {
            writer.Write(token);
        }
        writer.Write("block_size");
        writer.Write(one.Tokens.Length);
        writer.Write("lora_id");
        writer.WriteNil();
        Name(ref writer, "medium", Medium);
        if (one.Salt.Length > 0)
        {
            writer.Write("extra_keys"); // vLLM has the salt in the hash of a prompt's first block alone; ours has it in each chunk's name.
            writer.WriteArrayHeader(1);
            if (one.Parent is null)
            {
                writer.WriteArrayHeader(1);
                writer.Write(one.Salt);
            }
            else
            {
                writer.WriteNil();
            }
        }
    }

    private static void WriteHashes(ref MessagePackWriter writer, in ChunkHash hash)
    {
        writer.Write("block_hashes");
        writer.WriteArrayHeader(1);
        WriteHash(ref writer, hash);
    }

    private static void WriteHash(ref MessagePackWriter writer, in ChunkHash hash) => writer.Write(hash.ToArray());

    private static void Name(ref MessagePackWriter writer, string name, string value)
    {
        writer.Write(name);
        writer.Write(value);
    }
}
