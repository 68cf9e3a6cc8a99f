using System.Runtime.InteropServices;
using Ferry.Engine.KvCache;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Exchange;

/// <summary>K and V of a prompt as a model would compute them, in no engine's layout: what every node must end up with, bit for bit.</summary>
public sealed class KvTruth
{
    public const int Layers = 2;
    public const int Heads = 4;
    public const int HeadDim = 8;

    private readonly int _seed;

    /// <param name="seed">Equal seeds give equal KV: two nodes that compute the same prompt.</param>
    public KvTruth(int seed = 1) => _seed = seed;

    /// <summary>What a rank of a pool holds of some tokens.</summary>
    public byte[] Of(KvLayout rankLayout, int firstToken)
    {
        var whole = rankLayout with { Order = KvOrder.TwoLtd, BlockTokens = 0, Packing = KvPacking.Split, BlockMajor = false, FirstHead = 0, Heads = Heads };
        var bytes = new byte[whole.PayloadBytes];
        // By position, so that a token's KV does not depend on the chunk that it lies in.
        var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        var wordsPerVector = whole.HeadDim * whole.DType.Bytes() / sizeof(ulong);
        for (var word = 0; word < words.Length; word++)
        {
            var (vector, within) = (word / wordsPerVector, word % wordsPerVector);
            var (head, rest) = (vector % Heads, vector / Heads);
            var (token, layerAndPart) = (firstToken + (rest % whole.Tokens), rest / whole.Tokens);
            words[word] = Mix(((((((ulong)_seed << 20) + (ulong)token) << 10) + (ulong)head) << 20) + (ulong)((layerAndPart * wordsPerVector) + within));
        }
        var result = new byte[rankLayout.PayloadBytes];
        ConversionPlan.Create([whole], rankLayout).Run(bytes, result);
        return result;
    }

    /// <summary>Puts the KV of the prompt's first tokens into the pool's blocks 0, 1, 2, …</summary>
    public void Fill(KvPool pool, int tokenCount)
    {
        var blocks = Enumerable.Range(0, (tokenCount + pool.BlockTokens - 1) / pool.BlockTokens).ToArray();
        for (var rank = 0; rank < pool.TensorParallelSize; rank++)
        {
            pool.CopyIn(rank, blocks, tokenCount, 0, Of(pool.RankLayout(rank, tokenCount), 0));
        }
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): a number that looks random and follows from another.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
