using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Starter;

/// <summary>What a first ferry.yaml is made from; the defaults are the two-node cluster of MI300X and Gaudi3.</summary>
public sealed record StarterAnswers
{
    public string Name { get; init; } = "llama-70b";

    public string Model { get; init; } = "meta-llama/Llama-3.1-70B-Instruct";

    /// <summary>Which shared tier; none is the architecture with hand-over only.</summary>
    public StorageKind Storage { get; init; } = StorageKind.None;

    public HandoverKind Handover { get; init; } = HandoverKind.Ferry;

    public EngineKind Engine { get; init; } = EngineKind.Vllm;

    public string PrefillAccelerator { get; init; } = "mi300x";

    public string DecodeAccelerator { get; init; } = "gaudi3";

    /// <summary>Hosts of the prefill nodes; a placeholder where none is known yet.</summary>
    public IReadOnlyList<string> PrefillAddresses { get; init; } = ["<prefill-ip>"];

    public IReadOnlyList<string> DecodeAddresses { get; init; } = ["<decode-ip>"];

    public int PrefillTensorParallel { get; init; } = 4;

    public int DecodeTensorParallel { get; init; } = 4;

    public TransportKind Transport { get; init; } = TransportKind.Tcp;

    public string S3Endpoint { get; init; } = "https://s3.ceph.example";

    public string S3Bucket { get; init; } = "kv-cache";

    public string RedisAddress { get; init; } = "redis.example:6379";

    public string Directory { get; init; } = "/mnt/kv";
}
