namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>What one worker of a vLLM instance tells of its KV cache (metadata.py, NixlAgentMetadata).</summary>
/// <remarks>The fields that some versions lack are null there, so that what is decoded encodes to the same bytes.</remarks>
public sealed record VllmAgentMetadata
{
    /// <summary>Must be the <c>remote_engine_id</c> of the request.</summary>
    public required string EngineId { get; init; }

    /// <summary>The NIXL metadata blob of the worker's agent (<see cref="NixlCodec"/>).</summary>
    public required ReadOnlyMemory<byte> AgentMetadata { get; init; }

    /// <summary>First byte of each region: one a layer, or two (K, V) where the packing splits them.</summary>
    public required IReadOnlyList<ulong> BaseAddresses { get; init; }

    public required int DeviceId { get; init; }

    /// <summary>Kernel blocks of each region.</summary>
    public required long BlockCount { get; init; }

    /// <summary>Bytes of one block, one entry a region.</summary>
    public required IReadOnlyList<long> BlockBytes { get; init; }

    /// <summary><c>HND</c> or <c>NHD</c>.</summary>
    public required string Layout { get; init; }

    /// <summary>Tokens of one kernel block.</summary>
    public required int BlockTokens { get; init; }

    /// <summary>Since connector version 3.</summary>
    public IReadOnlyList<long>? SsmSizes { get; init; }

    /// <summary>Since connector version 3.</summary>
    public string? AttentionBackend { get; init; }

    /// <summary>Since connector version 3.</summary>
    public int? PhysicalBlocksPerLogicalBlock { get; init; }
}
