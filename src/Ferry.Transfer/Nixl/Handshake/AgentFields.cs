using System.Buffers;
using MessagePack;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>The members of a worker's metadata as they come; which of them there are is known at the end.</summary>
internal sealed class AgentFields
{
    private string? _engineId;
    private ReadOnlyMemory<byte>? _agentMetadata;
    private ulong[]? _baseAddresses;
    private int? _deviceId;
    private long? _blockCount;
    private long[]? _blockBytes;
    private string? _layout;
    private int? _blockTokens;
    private long[]? _ssmSizes;
    private string? _attentionBackend;
    private int? _physicalBlocks;

    /// <summary>The first member that is not there, or null.</summary>
    public string? FirstMissing =>
        _engineId is null ? "engine_id" : _agentMetadata is null ? "agent_metadata" : _baseAddresses is null ? "kv_caches_base_addr"
        : _deviceId is null ? "device_id" : _blockCount is null ? "num_blocks" : _blockBytes is null ? "block_lens"
        : _layout is null ? "kv_cache_layout" : _blockTokens is null ? "block_size" : null;

    public static AgentFields Read(ref MessagePackReader reader)
    {
        var fields = new AgentFields();
        var members = reader.ReadMapHeader();
        for (var member = 0; member < members; member++)
        {
            fields.ReadMember(ref reader, HandshakeCodec.Text(ref reader));
        }
        return fields;
    }

    public VllmAgentMetadata? Build() => FirstMissing is not null ? null : new VllmAgentMetadata
    {
        EngineId = _engineId!,
        AgentMetadata = _agentMetadata!.Value,
        BaseAddresses = _baseAddresses!,
        DeviceId = _deviceId!.Value,
        BlockCount = _blockCount!.Value,
        BlockBytes = _blockBytes!,
        Layout = _layout!,
        BlockTokens = _blockTokens!.Value,
        SsmSizes = _ssmSizes,
        AttentionBackend = _attentionBackend,
        PhysicalBlocksPerLogicalBlock = _physicalBlocks,
    };

    private void ReadMember(ref MessagePackReader reader, string name)
    {
        switch (name)
        {
            case "engine_id": _engineId = HandshakeCodec.Text(ref reader); break;
            case "agent_metadata": _agentMetadata = reader.ReadBytes()?.ToArray() ?? throw new MessagePackSerializationException("agent_metadata is nil"); break;
            case "kv_caches_base_addr": _baseAddresses = ReadAll(ref reader, static (ref MessagePackReader r) => r.ReadUInt64()); break;
            case "device_id": _deviceId = reader.ReadInt32(); break;
            case "num_blocks": _blockCount = reader.ReadInt64(); break;
            case "block_lens": _blockBytes = ReadAll(ref reader, static (ref MessagePackReader r) => r.ReadInt64()); break;
            case "kv_cache_layout": _layout = HandshakeCodec.Text(ref reader); break;
            case "block_size": _blockTokens = reader.ReadInt32(); break;
            case "ssm_sizes": _ssmSizes = ReadAll(ref reader, static (ref MessagePackReader r) => r.ReadInt64()); break;
            case "attn_backend_name": _attentionBackend = HandshakeCodec.Text(ref reader); break;
            case "physical_blocks_per_logical_kv_block": _physicalBlocks = reader.ReadInt32(); break;
            default: reader.Skip(); break;
        }
    }

    private delegate T Number<T>(ref MessagePackReader reader);

    private static T[] ReadAll<T>(ref MessagePackReader reader, Number<T> read)
    {
        var count = reader.ReadArrayHeader(); // refuses a count that the bytes cannot hold
        if (count > HandshakeCodec.RegionCountMax)
        {
            throw new MessagePackSerializationException($"{count} entries are over the limit of {HandshakeCodec.RegionCountMax}");
        }
        var numbers = new T[count];
        for (var index = 0; index < count; index++)
        {
            numbers[index] = read(ref reader);
        }
        return numbers;
    }
}
