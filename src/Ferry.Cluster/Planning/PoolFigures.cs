using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>What one node of a pool can hold and do. Formulas: docs/planning.md, "A node".</summary>
public sealed record PoolFigures
{
    public required string Pool { get; init; }

    public required PoolRole Role { get; init; }

    public required string Accelerator { get; init; }

    public required int Nodes { get; init; }

    /// <summary>Tensor-parallel ranks of a node.</summary>
    public required int Ranks { get; init; }

    public required int BlockTokens { get; init; }

    public required long WeightBytesPerRank { get; init; }

    /// <summary>Memory of one device that is left for KV; 0 when the weights do not fit.</summary>
    public required long KvBytesPerRank { get; init; }

    public required long KvBytesPerTokenAndRank { get; init; }

    /// <summary>Tokens whose KV a node holds.</summary>
    public required long KvTokens { get; init; }

    /// <summary>Sequences of the model's full length that fit at once.</summary>
    public required double FullLengthSequences { get; init; }

    /// <summary>Sequences that may run at once.</summary>
    public required int SequenceLimit { get; init; }

    /// <summary>KV memory of one rank that <see cref="SequenceLimit"/> sequences of full length would need.</summary>
    public required long KvBytesPerRankAtLimit { get; init; }

    /// <summary>Average length up to which <see cref="SequenceLimit"/> sequences fit together.</summary>
    public required double AverageTokensAtLimit { get; init; }

    /// <summary>Host memory that NIXL's host buffers take when KV is staged there: the whole KV cache of every rank.</summary>
    public required long NixlHostBytes { get; init; }

    /// <summary>Descriptors of one rank for the KV of a typical prompt.</summary>
    public required long DescriptorsPerRank { get; init; }

    public required double PrefillSeconds { get; init; }

    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>KV that a node brings forth while it prefills without pause.</summary>
    public required double KvBytesPerSecond { get; init; }

    /// <summary>Sequences that decode at once, of typical length: as many as fit and are allowed, or as the file says.</summary>
    public required int DecodeSequences { get; init; }

    /// <summary>Reading the weights once: below this no step can be.</summary>
    public required double WeightStepSeconds { get; init; }

    /// <summary>One step of <see cref="DecodeSequences"/> sequences: weights and KV are read, or the arithmetic done, whichever takes longer.</summary>
    public required double DecodeStepSeconds { get; init; }

    public required double DecodeTokensPerSecond { get; init; }

    /// <summary>Tokens whose KV a node that only prefills would hold for a whole lease if nobody fetched.</summary>
    public required double LeasedTokens { get; init; }
}
