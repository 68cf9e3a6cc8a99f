using System.Buffers.Binary;
using Ferry.Engine.KvCache;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Engines;

/// <summary>A pool of one number a token and rank, in managed memory that begins as garbage.</summary>
/// <remarks>Block layout as the real one's: <c>[blocks, 2 (K, V), tokens, 2 floats]</c>; V is K's complement.</remarks>
public sealed class FakeKvPool : KvPool
{
    private const int HalfBytes = 8; // K or V of one token: two floats
    private readonly byte[][] _ranks;

    public FakeKvPool(int tensorParallelSize, int blockTokens, int blockCount)
    {
        (TensorParallelSize, BlockTokens, BlockCount) = (tensorParallelSize, blockTokens, blockCount);
        _ranks = [.. Enumerable.Range(0, tensorParallelSize).Select(rank =>
        {
            var bytes = new byte[blockCount * RankBlockBytes];
            new Random(1000 + rank).NextBytes(bytes);
            return bytes;
        })];
    }

    public override int TensorParallelSize { get; }

    public override int BlockTokens { get; }

    public override int BlockCount { get; }

    public override long BlockBytes => (long)RankBlockBytes * TensorParallelSize;

    private int RankBlockBytes => 2 * BlockTokens * HalfBytes;

    public override KvLayout RankLayout(int rank, int tokenCount) => new()
    {
        Layers = 1,
        ModelHeads = TensorParallelSize,
        FirstHead = rank,
        Heads = 1,
        HeadDim = 2,
        Tokens = tokenCount,
        BlockTokens = BlockTokens,
        DType = KvDType.Float32,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Halves,
    };

    public override void CopyOut(int rank, ReadOnlySpan<int> blocks, int tokenCount, Span<byte> destination)
    {
        CheckLength(rank, tokenCount, destination.Length);
        destination.Clear();
        for (var token = 0; token < tokenCount; token++)
        {
            var (block, at) = (token / BlockTokens, token % BlockTokens);
            for (var half = 0; half < 2; half++)
            {
                Half(rank, blocks[block], half, at).CopyTo(destination[(((((block * 2) + half) * BlockTokens) + at) * HalfBytes)..]);
            }
        }
    }

    public override void CopyIn(int rank, ReadOnlySpan<int> blocks, int tokenCount, int skipBlocks, ReadOnlySpan<byte> source)
    {
        CheckLength(rank, tokenCount, source.Length);
        for (var block = skipBlocks; block < blocks.Length; block++)
        {
            source.Slice(block * RankBlockBytes, RankBlockBytes).CopyTo(_ranks[rank].AsSpan(blocks[block] * RankBlockBytes));
        }
    }

    public void Write(int block, int at, ulong value)
    {
        for (var rank = 0; rank < TensorParallelSize; rank++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(Half(rank, block, 0, at), value + (ulong)rank);
            BinaryPrimitives.WriteUInt64LittleEndian(Half(rank, block, 1, at), ~(value + (ulong)rank));
        }
    }

    /// <summary>The number, or something else when any rank's K or V is not what <see cref="Write"/> put there.</summary>
    public ulong Read(int block, int at)
    {
        var first = BinaryPrimitives.ReadUInt64LittleEndian(Half(0, block, 0, at));
        var damage = 0UL;
        for (var rank = 0; rank < TensorParallelSize; rank++)
        {
            damage |= BinaryPrimitives.ReadUInt64LittleEndian(Half(rank, block, 0, at)) - (ulong)rank ^ first;
            damage |= ~BinaryPrimitives.ReadUInt64LittleEndian(Half(rank, block, 1, at)) - (ulong)rank ^ first;
        }
        return first ^ (damage * 0x9E3779B97F4A7C15);
    }

    private Span<byte> Half(int rank, int block, int half, int at) =>
        _ranks[rank].AsSpan((block * RankBlockBytes) + (((half * BlockTokens) + at) * HalfBytes), HalfBytes);

    private void CheckLength(int rank, int tokenCount, int length)
    {
        var expected = RankLayout(rank, tokenCount).PayloadBytes;
        if (length != expected) { throw new ArgumentException($"A piece of {tokenCount} tokens has {expected} bytes, not {length}."); }
    }
}
