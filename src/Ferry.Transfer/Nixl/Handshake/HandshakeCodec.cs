using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using MessagePack;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>vLLM's handshake in MessagePack, as msgspec writes it. Decoders are total.</summary>
public static class HandshakeCodec
{
    /// <summary>One worker's answer: 64-bit addresses of some thousand regions and a NIXL blob.</summary>
    public const int PayloadBytesMax = 64 << 20;

    /// <summary>Regions of one worker: layers of the deepest models, twice.</summary>
    public const int RegionCountMax = 1 << 16;

    /// <summary>Engine ids, layouts and backends.</summary>
    public const int TextBytesMax = 4096;

    /// <summary>The key under which Ferry says why it has no answer; vLLM reads such an answer as one without metadata and fails at once.</summary>
    private const string ErrorKey = "error";

    private static ReadOnlySpan<byte> Tag => "get_meta_msg"u8;

    public static byte[] Encode(in MetadataQuestion question)
    {
        var buffer = new ArrayBufferWriter<byte>(32);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(question.PipelineRank is null ? 2 : 3);
        writer.Write(Tag);
        if (question.PipelineRank is { } pipeline) { writer.Write(pipeline); }
        writer.Write(question.TensorRank);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out MetadataQuestion question, [NotNullWhen(false)] out string? error)
    {
        MetadataQuestion? found = null;
        error = Guard(() =>
        {
            var reader = new MessagePackReader(bytes);
            var count = reader.ReadArrayHeader();
            if (count is not (2 or 3)) { return $"a question of {count} parts"; }
            if (reader.ReadBytes() is not { } tag || !tag.ToArray().AsSpan().SequenceEqual(Tag)) { return "not get_meta_msg"; }
            int? pipeline = count == 3 ? reader.ReadInt32() : null;
            found = new MetadataQuestion(pipeline, reader.ReadInt32());
            return reader.End ? null : "more bytes than a question has";
        });
        question = found.GetValueOrDefault();
        return error is null;
    }

    public static byte[] Encode(HandshakePayload payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        var buffer = new ArrayBufferWriter<byte>(256 + payload.AgentMetadata.Length);
        var writer = new MessagePackWriter(buffer);
        writer.WriteMapHeader(2);
        writer.Write("compatibility_hash");
        writer.Write(payload.CompatibilityHash);
        writer.Write("agent_metadata_bytes");
        writer.Write(payload.AgentMetadata.Span);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>An answer that says why there is none.</summary>
    public static byte[] EncodeRefusal(string reason)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        var writer = new MessagePackWriter(buffer);
        writer.WriteMapHeader(1);
        writer.Write(ErrorKey);
        writer.Write(reason);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads an answer. Metadata without a wrapper (before connector version 1) has an empty hash.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out HandshakePayload? payload, [NotNullWhen(false)] out string? error)
    {
        string? hash = null;
        ReadOnlyMemory<byte>? metadata = null;
        var isBare = false;
        error = Guard(() =>
        {
            var reader = new MessagePackReader(bytes);
            var members = reader.ReadMapHeader();
            for (var member = 0; member < members; member++)
            {
                switch (Text(ref reader))
                {
                    case "compatibility_hash":
                        hash = Text(ref reader);
                        break;
                    case "agent_metadata_bytes":
                        metadata = reader.ReadBytes()?.ToArray() ?? throw new MessagePackSerializationException("agent_metadata_bytes is nil");
                        break;
                    case "engine_id":
                        isBare = true;
                        reader.Skip();
                        break;
                    case ErrorKey:
                        return $"the peer refuses: {Text(ref reader)}";
                    default:
                        reader.Skip();
                        break;
                }
            }
            return !reader.End ? "more bytes than an answer has"
                : isBare || (hash is not null && metadata is not null) ? null
                : "an answer without compatibility_hash or agent_metadata_bytes";
        });
        payload = error is not null ? null : isBare ? new HandshakePayload(string.Empty, bytes) : new HandshakePayload(hash!, metadata!.Value);
        return payload is not null;
    }

    public static byte[] Encode(VllmAgentMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var buffer = new ArrayBufferWriter<byte>(512 + metadata.AgentMetadata.Length + 16 * metadata.BaseAddresses.Count);
        var writer = new MessagePackWriter(buffer);
        var optional = (metadata.SsmSizes is null ? 0 : 1) + (metadata.AttentionBackend is null ? 0 : 1) + (metadata.PhysicalBlocksPerLogicalBlock is null ? 0 : 1);
        writer.WriteMapHeader(8 + optional);
        writer.Write("engine_id");
        writer.Write(metadata.EngineId);
        writer.Write("agent_metadata");
        writer.Write(metadata.AgentMetadata.Span);
        writer.Write("kv_caches_base_addr");
        writer.WriteArrayHeader(metadata.BaseAddresses.Count);
        foreach (var address in metadata.BaseAddresses) { writer.Write(address); }
        writer.Write("device_id");
        writer.Write(metadata.DeviceId);
        writer.Write("num_blocks");
        writer.Write(metadata.BlockCount);
        writer.Write("block_lens");
        WriteAll(ref writer, metadata.BlockBytes);
        writer.Write("kv_cache_layout");
        writer.Write(metadata.Layout);
        writer.Write("block_size");
        writer.Write(metadata.BlockTokens);
        if (metadata.SsmSizes is { } sizes)
        {
            writer.Write("ssm_sizes");
            WriteAll(ref writer, sizes);
        }
        if (metadata.AttentionBackend is { } backend)
        {
            writer.Write("attn_backend_name");
            writer.Write(backend);
        }
        if (metadata.PhysicalBlocksPerLogicalBlock is { } physical)
        {
            writer.Write("physical_blocks_per_logical_kv_block");
            writer.Write(physical);
        }
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a worker's metadata. Fields of newer versions are passed over, as msgspec does.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out VllmAgentMetadata? metadata, [NotNullWhen(false)] out string? error)
    {
        VllmAgentMetadata? found = null;
        error = Guard(() =>
        {
            var reader = new MessagePackReader(bytes);
            var fields = AgentFields.Read(ref reader);
            found = fields.Build();
            return !reader.End ? "more bytes than metadata has" : found is null ? $"metadata without {fields.FirstMissing}" : null;
        });
        metadata = error is null ? found : null;
        return error is null;
    }

    internal static string Text(ref MessagePackReader reader)
    {
        if (reader.ReadStringSequence() is not { } bytes || bytes.Length > TextBytesMax)
        {
            throw new MessagePackSerializationException($"a text is nil or over {TextBytesMax} bytes");
        }
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static void WriteAll(ref MessagePackWriter writer, IReadOnlyList<long> numbers)
    {
        writer.WriteArrayHeader(numbers.Count);
        foreach (var number in numbers) { writer.Write(number); }
    }

    /// <summary>Runs a decoder; what MessagePack throws on bytes that are not its own becomes a sentence.</summary>
    internal static string? Guard(Func<string?> decode)
    {
        try
        {
            return decode();
        }
        catch (Exception exception) when (exception is MessagePackSerializationException or EndOfStreamException or InvalidOperationException
            or ArgumentException or OverflowException)
        {
            return $"not the MessagePack that was due: {exception.Message}";
        }
    }
}
