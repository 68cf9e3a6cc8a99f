using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Models;

/// <summary>What an operator says of a model's KV: without it nobody knows how many heads lie in a client's value. docs/operations.md</summary>
/// <param name="Name">The model as clients' keys name it, or a pattern with <c>*</c> and <c>?</c>; each name that a pattern matches is a model of its own.</param>
public sealed record ModelCard(string Name)
{
    /// <summary>Other names of this same model; patterns too. Clients that use them share its KV.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Layers of the model.</summary>
    public int Layers { get; init; }

    /// <summary>KV heads of the whole model.</summary>
    public int KvHeads { get; init; }

    public int HeadDim { get; init; }

    /// <summary>Element type of KV where the key does not say it: LMCache's daemon, and <c>uint8</c> of fp8 caches. Null: such values are opaque.</summary>
    public KvDType? DType { get; init; }

    /// <summary>Tokens of a full chunk, the same on all clients of the model.</summary>
    public int ChunkTokens { get; init; } = 256;

    /// <summary>
    /// World sizes at which the model runs with tensor parallelism alone. A value that comes without LMCache's metadata is believed only at these: with
    /// pipeline parallelism a rank has fewer layers and more heads, in just as many bytes.
    /// </summary>
    public IReadOnlyList<int> TensorParallelSizes { get; init; } = [];

    /// <summary>What a stored number is multiplied with, for each fp8 type in use. A type without an entry is not converted to or from others.</summary>
    public IReadOnlyDictionary<KvDType, float> Fp8Scales { get; init; } = new Dictionary<KvDType, float>();

    /// <summary>Whether some clients store the model layer by layer (LMCache's <c>use_layerwise</c>) and others whole chunks, and they are to find each other's.</summary>
    public bool Layerwise { get; init; }

    /// <summary>The fingerprint under which <c>ferry serve</c> keeps this model's KV, so that its records and clients' meet; null for one made of the name.</summary>
    public UInt128? Fingerprint { get; init; }

    /// <summary>Why values of this model are never converted, such as a sliding window; null for a model that is.</summary>
    public string? Refusal { get; init; }

    /// <summary>The scale of records in this type: 1 unless it is an fp8 that has another.</summary>
    public float ScaleOf(KvDType dtype) => dtype.IsFp8() && Fp8Scales.TryGetValue(dtype, out var scale) ? scale : 1f;

    /// <summary>Whether numbers of one type may become those of another: always, except where an fp8 is involved whose scale nobody stated.</summary>
    public bool Converts(KvDType from, KvDType to) => from == to || (IsStated(from) && IsStated(to));

    private bool IsStated(KvDType dtype) => !dtype.IsFp8() || Fp8Scales.ContainsKey(dtype);
}
