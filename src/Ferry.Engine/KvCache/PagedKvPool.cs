using Ferry.Engine.Kernels;
using Ferry.Kv.Layout;

namespace Ferry.Engine.KvCache;

/// <summary>The pages in native memory, one allocation a logical rank, in any block layout.</summary>
/// <remarks>
/// Rank r holds heads <c>[r * heads / ranks, …)</c>; with more ranks than heads each head is held by ranks / heads of them,
/// written to all and read from the first. Memory is not cleared: nothing reads a token that was not written.
/// </remarks>
public sealed unsafe class PagedKvPool : KvPool, IDisposable
{
    // Far more than any profile uses; keeps all products within 64 bits.
    private const int MaxBlockTokens = 1024;
    private const int MaxRanks = 256;

    private readonly NativeBuffer[] _ranks;
    private readonly int _layers;
    private readonly int _headDim;
    private readonly int _modelHeads;
    private readonly int _rankHeads;
    private readonly int _replicas;
    private readonly KvPoolOptions _options;
    private readonly KvStrides _strides;

    /// <param name="layers">Layers of the model.</param>
    /// <param name="heads">KV heads of the whole model.</param>
    /// <exception cref="ArgumentException">The options do not fit the model; the message says which, and what would.</exception>
    public PagedKvPool(int layers, int heads, int headDim, KvPoolOptions options)
    {
        Check(heads, options);
        _options = options;
        _layers = layers;
        _headDim = headDim;
        _modelHeads = heads;
        int ranks = options.TensorParallelSize;
        _rankHeads = Math.Max(1, heads / ranks);
        _replicas = Math.Max(1, ranks / heads);
        long rankBlockBytes = RankLayout(0, options.BlockTokens).PayloadBytes;
        BlockBytes = rankBlockBytes * ranks;
        BlockCount = options.BlockCount ?? (int)Math.Min(options.MemoryBytes / BlockBytes, int.MaxValue);
        if (BlockCount < 1)
        {
            throw new ArgumentException(
                $"The KV memory of {options.MemoryBytes} bytes is less than one block ({BlockBytes} bytes = {options.BlockTokens} tokens). Give it more memory, or smaller blocks.",
                nameof(options));
        }
        _strides = KvStrides.Of(RankLayout(0, options.BlockTokens), BlockCount);
        _ranks = new NativeBuffer[ranks];
        try
        {
            for (int rank = 0; rank < ranks; rank++)
            {
                _ranks[rank] = new NativeBuffer(checked(rankBlockBytes * BlockCount), hugePages: true);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override int TensorParallelSize => _options.TensorParallelSize;

    public override int BlockTokens => _options.BlockTokens;

    public override int BlockCount { get; }

    public override long BlockBytes { get; }

    public KvDType DType => _options.DType;

    public int Layers => _layers;

    /// <summary>KV heads of the whole model.</summary>
    public int Heads => _modelHeads;

    public int HeadDim => _headDim;

    internal KvStrides Strides => _strides;

    /// <summary>Ranks that hold a copy of each head: 1 unless there are more ranks than heads.</summary>
    internal int Replicas => _replicas;

    public override KvLayout RankLayout(int rank, int tokenCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, _options.TensorParallelSize);
        return new KvLayout
        {
            Layers = _layers,
            ModelHeads = _modelHeads,
            FirstHead = rank * _rankHeads / _replicas,
            Heads = _rankHeads,
            HeadDim = _headDim,
            Tokens = tokenCount,
            BlockTokens = _options.BlockTokens,
            DType = _options.DType,
            Order = _options.Order,
            Packing = _options.Packing,
            BlockMajor = _options.BlockMajor,
        };
    }

    public override void CopyOut(int rank, ReadOnlySpan<int> blocks, int tokenCount, Span<byte> destination)
    {
        int count = CheckPiece(rank, blocks, tokenCount, destination.Length, _layers);
        var target = KvStrides.Of(RankLayout(rank, tokenCount), count);
        fixed (byte* piece = destination)
        {
            CopyBlocks(_ranks[rank].Pointer, _strides, blocks[..count], piece, target, firstBlock: 0, _layers, intoPool: false);
            ClearTail(piece, target, tokenCount, count, _layers);
        }
        GC.KeepAlive(this);
    }

    public override bool IsLayerMajor => !_options.BlockMajor;

    public override void CopyOutLayer(int rank, ReadOnlySpan<int> blocks, int tokenCount, int layer, Span<byte> destination)
    {
        if (!IsLayerMajor)
        {
            base.CopyOutLayer(rank, blocks, tokenCount, layer, destination);
        }
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, _layers);
        int count = CheckPiece(rank, blocks, tokenCount, destination.Length, layers: 1);
        var target = KvStrides.Of(RankLayout(rank, tokenCount), count);
        fixed (byte* piece = destination)
        {
            CopyBlocks(_ranks[rank].Pointer + (layer * _strides.Layer), _strides, blocks[..count], piece, target, firstBlock: 0, layers: 1, intoPool: false);
            ClearTail(piece, target, tokenCount, count, layers: 1);
        }
        GC.KeepAlive(this);
    }

    public override void CopyIn(int rank, ReadOnlySpan<int> blocks, int tokenCount, int skipBlocks, ReadOnlySpan<byte> source)
    {
        int count = CheckPiece(rank, blocks, tokenCount, source.Length, _layers);
        ArgumentOutOfRangeException.ThrowIfNegative(skipBlocks);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(skipBlocks, count);
        var layout = KvStrides.Of(RankLayout(rank, tokenCount), count);
        fixed (byte* piece = source)
        {
            CopyBlocks(_ranks[rank].Pointer, _strides, blocks[..count], piece, layout, skipBlocks, _layers, intoPool: true);
        }
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        foreach (var rank in _ranks)
        {
            rank?.Dispose();
        }
    }

    /// <summary>Address of layer 0, block 0, token 0 of K of a head of the whole model, in its <paramref name="replica"/>-th rank.</summary>
    /// <remarks>The caller keeps the pool alive while it uses the address.</remarks>
    internal byte* HeadBase(int head, int replica)
    {
        int rank = _replicas > 1 ? (head * _replicas) + replica : head / _rankHeads;
        int local = _replicas > 1 ? 0 : head % _rankHeads;
        return _ranks[rank].Pointer + (local * _strides.Head);
    }

    private static void Check(int heads, KvPoolOptions options)
    {
        if (options.BlockTokens is < 1 or > MaxBlockTokens)
        {
            throw new ArgumentException($"A block of {options.BlockTokens} tokens is not possible; it must lie in 1..{MaxBlockTokens}.", nameof(options));
        }
        if (options.Order is not (KvOrder.Nhd or KvOrder.Hnd))
        {
            throw new ArgumentException($"The pool lies in blocks, so its order is Nhd or Hnd, not {options.Order}.", nameof(options));
        }
        if (!Enum.IsDefined(options.Packing))
        {
            throw new ArgumentException($"{options.Packing} is not a packing of K and V.", nameof(options));
        }
        if (options.DType is not (KvDType.BFloat16 or KvDType.Float16 or KvDType.Float32))
        {
            throw new ArgumentException($"The CPU engine computes with a KV cache of BFloat16, Float16 or Float32, not {options.DType}.", nameof(options));
        }
        int ranks = options.TensorParallelSize;
        if (ranks is < 1 or > MaxRanks || (heads % ranks != 0 && ranks % heads != 0))
        {
            throw new ArgumentException(
                $"A tensor-parallel size of {ranks} does not suit {heads} KV heads: it must divide them or be a multiple of them, and lie in 1..{MaxRanks}.",
                nameof(options));
        }
        if (options.BlockCount is < 1)
        {
            throw new ArgumentException($"A pool of {options.BlockCount} blocks holds nothing.", nameof(options));
        }
    }

    /// <returns>Blocks that the piece covers.</returns>
    private int CheckPiece(int rank, ReadOnlySpan<int> blocks, int tokenCount, int byteCount, int layers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenCount, 1);
        long expected = RankLayout(rank, tokenCount).PayloadBytes / _layers * layers;
        if (byteCount != expected)
        {
            throw new ArgumentException($"{(layers == _layers ? "A piece" : "A layer")} of {tokenCount} tokens of rank {rank} has {expected} bytes, not {byteCount}.");
        }
        int count = ((tokenCount - 1) / BlockTokens) + 1;
        if (blocks.Length < count)
        {
            throw new ArgumentException($"{tokenCount} tokens lie in {count} blocks of {BlockTokens}; only {blocks.Length} were named.");
        }
        foreach (int block in blocks[..count])
        {
            if ((uint)block >= (uint)BlockCount)
            {
                throw new ArgumentException($"Block {block} is not in the pool of {BlockCount} blocks.");
            }
        }
        return count;
    }

    private void CopyBlocks(
        byte* pool, in KvStrides poolStrides, ReadOnlySpan<int> blocks, byte* piece, in KvStrides pieceStrides, int firstBlock, int layers,
        bool intoPool)
    {
        // What is contiguous in both: with the block axis outermost a whole block; else one layer of it, K and V together
        // unless the packing splits them into two tensors.
        bool apart = _options.Packing == KvPacking.Split && !_options.BlockMajor;
        long half = (long)_rankHeads * BlockTokens * _headDim * _options.DType.Bytes();
        layers = _options.BlockMajor ? 1 : layers;
        long run = apart ? half : 2 * half * (_options.BlockMajor ? _layers : 1);
        for (int layer = 0; layer < layers; layer++)
        {
            for (int part = 0; part < (apart ? 2 : 1); part++)
            {
                byte* poolPart = pool + (layer * poolStrides.Layer) + (part * poolStrides.Value);
                byte* piecePart = piece + (layer * pieceStrides.Layer) + (part * pieceStrides.Value);
                for (int index = firstBlock; index < blocks.Length; index++)
                {
                    byte* inPool = poolPart + (blocks[index] * poolStrides.Block);
                    byte* inPiece = piecePart + (index * pieceStrides.Block);
                    Buffer.MemoryCopy(intoPool ? inPiece : inPool, intoPool ? inPool : inPiece, run, run);
                }
            }
        }
    }

    /// <summary>Zeroes the tokens of the last block that the piece does not have.</summary>
    private void ClearTail(byte* piece, in KvStrides strides, int tokenCount, int blockCount, int layers)
    {
        int vector = _headDim * _options.DType.Bytes();
        for (int token = ((tokenCount - 1) % BlockTokens) + 1; token < BlockTokens; token++)
        {
            for (int layer = 0; layer < layers; layer++)
            {
                for (int head = 0; head < _rankHeads; head++)
                {
                    byte* key = piece + (layer * strides.Layer) + ((blockCount - 1) * strides.Block) + (token * strides.Token) + (head * strides.Head);
                    new Span<byte>(key, vector).Clear();
                    new Span<byte>(key + strides.Value, vector).Clear();
                }
            }
        }
    }
}
