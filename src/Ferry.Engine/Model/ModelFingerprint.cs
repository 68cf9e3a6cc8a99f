using System.IO.Hashing;
using System.Text;

namespace Ferry.Engine.Model;

/// <summary>Names a model by what determines its KV: shape and weights, not its path.</summary>
/// <remarks>
/// XXH3-128 over the lines of the shape, then for each tensor in ordinal order of names: name, type, shape, and bytes. Up to
/// 64 MiB of weights every byte counts; above that, to keep loading fast, three pages of each tensor (first, middle, last).
/// So of two large models that differ only inside a tensor, between those pages, one could pass for the other: training and
/// fine-tuning change every page, but a hand-edited weight may not be seen.
/// </remarks>
internal static class ModelFingerprint
{
    private const long WholeLimitBytes = 64L << 20;
    private const int PageBytes = 4096;
    private const int ChunkBytes = 1 << 20;

    public static UInt128 Of(ModelConfig config, WeightFiles weights)
    {
        var hash = new XxHash128();
        var rope = config.Rope;
        // Fixed text: a change of this line changes every fingerprint.
        Append(hash, FormattableString.Invariant(
            $"ferry-model-1 {config.Architecture} layers={config.Layers} hidden={config.HiddenSize} ffn={config.FeedForwardSize} heads={config.Heads} kv={config.KvHeads} dim={config.HeadDim} vocab={config.VocabularySize} eps={config.NormEpsilon:R} rope={rope.Kind},{rope.Theta:R},{rope.Factor:R},{rope.LowFrequencyFactor:R},{rope.HighFrequencyFactor:R},{rope.OriginalPositions}\n"));
        bool whole = weights.ByteCount <= WholeLimitBytes;
        foreach (string name in weights.Names)
        {
            var tensor = weights.TryFind(name)!;
            Append(hash, $"{name} {tensor.DType} [{string.Join(",", tensor.Shape)}]\n");
            if (whole)
            {
                for (long offset = 0; offset < tensor.ByteCount; offset += ChunkBytes)
                {
                    hash.Append(weights.Bytes(tensor, offset, (int)Math.Min(ChunkBytes, tensor.ByteCount - offset)));
                }
                continue;
            }
            int page = (int)Math.Min(PageBytes, tensor.ByteCount);
            hash.Append(weights.Bytes(tensor, 0, page));
            hash.Append(weights.Bytes(tensor, (tensor.ByteCount - page) / 2, page));
            hash.Append(weights.Bytes(tensor, tensor.ByteCount - page, page));
        }
        return hash.GetCurrentHashAsUInt128();
    }

    private static void Append(XxHash128 hash, string line) => hash.Append(Encoding.UTF8.GetBytes(line));
}
