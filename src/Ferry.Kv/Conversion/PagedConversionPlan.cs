using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Converts sequences between pools of blocks: what <see cref="ConversionPlan"/> does between payloads, with a block table on either side.</summary>
/// <remarks>Made once for a pair of pools, run many times, by any number of threads at once as long as they write different tokens.</remarks>
public sealed unsafe class PagedConversionPlan
{
    private readonly KvLayout[] _sources;
    private readonly List<HeadPiece> _pieces;
    private readonly RowKernel[] _kernels;

    private PagedConversionPlan(KvLayout[] sources, KvLayout target, List<HeadPiece> pieces, bool staysInCache)
    {
        _sources = sources;
        Target = target;
        _pieces = pieces;
        _kernels = [.. pieces.Select(piece => KernelChoice.For(sources[piece.Source], target, staysInCache ? long.MaxValue : ConversionPlan.StreamingBytes))];
    }

    /// <summary>Layout of the target's pool.</summary>
    public KvLayout Target { get; }

    /// <summary>Layouts of the sources' pools.</summary>
    public IReadOnlyList<KvLayout> Sources => _sources;

    /// <summary>Every field in which pools stand in the way of a conversion; empty when there is one. Their lengths are their own affair.</summary>
    /// <param name="sameLayers">Whether both sides must have as many layers; not so for windows of some layers.</param>
    public static IReadOnlyList<string> FindMismatches(IReadOnlyList<KvLayout> sources, KvLayout target, bool sameLayers = true)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(target);
        return Find(sources, target, sameLayers, out _);
    }

    /// <summary>Makes the plan, or lists every field that stands in the way.</summary>
    /// <param name="sources">Pools that together hold every head of the target; where several hold one (replicas), one of them is read.</param>
    /// <param name="staysInCache">True for a target that is read again at once: then it is not written past the caches.</param>
    public static bool TryCreate(
        IReadOnlyList<KvLayout> sources, KvLayout target, bool staysInCache,
        [NotNullWhen(true)] out PagedConversionPlan? plan, out IReadOnlyList<string> mismatches)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(target);
        mismatches = Find(sources, target, sameLayers: false, out var pieces);
        plan = mismatches.Count > 0 ? null : new PagedConversionPlan([.. sources], target, pieces, staysInCache);
        return plan is not null;
    }

    /// <summary>The heads that come from one source, or null for a source that is not read.</summary>
    public (int FirstHead, int Heads)? HeadsFrom(int source)
    {
        var pieces = _pieces.Where(piece => piece.Source == source).ToArray();
        return pieces.Length == 0 ? null : (pieces[0].FirstHead, pieces[^1].FirstHead + pieces[^1].Heads - pieces[0].FirstHead);
    }

    /// <summary>Converts one window.</summary>
    /// <param name="sources">One a source, in the same order; one that is not read may be default.</param>
    /// <exception cref="ArgumentException">A length, a block or the window lies outside a pool; not a byte has been written.</exception>
    public void Run(ReadOnlySpan<PagedKv> sources, in PagedKv target, in PagedWindow window)
    {
        if (sources.Length != _sources.Length)
        {
            throw new ArgumentException($"The plan has {_sources.Length} sources; {sources.Length} were given.", nameof(sources));
        }
        CheckSide("target", Target, target, window.TargetLayer, window.TargetToken, window);
        foreach (var piece in _pieces)
        {
            CheckSide($"source {piece.Source}", _sources[piece.Source], sources[piece.Source], window.SourceLayer, window.SourceToken, window);
        }
        for (var index = 0; index < _pieces.Count; index++)
        {
            RunPiece(_pieces[index], _kernels[index], sources[_pieces[index].Source], target, window);
        }
        Fence();
    }

    /// <summary>As the other, for what comes from one source alone: the heads of the others are left as they are.</summary>
    /// <param name="source">Index of the source; <paramref name="from"/> is its KV.</param>
    public void Run(int source, in PagedKv from, in PagedKv target, in PagedWindow window)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)source, (uint)_sources.Length, nameof(source));
        CheckSide("target", Target, target, window.TargetLayer, window.TargetToken, window);
        CheckSide($"source {source}", _sources[source], from, window.SourceLayer, window.SourceToken, window);
        for (var index = 0; index < _pieces.Count; index++)
        {
            if (_pieces[index].Source == source) { RunPiece(_pieces[index], _kernels[index], from, target, window); }
        }
        Fence();
    }

    /// <summary>Zeroes the tokens of the sequence's last block that it does not have, in all layers and heads.</summary>
    /// <param name="pool">Layout of the pool.</param>
    /// <exception cref="ArgumentException">A length or a block lies outside the pool.</exception>
    public static void ClearTail(KvLayout pool, in PagedKv paged, int tokens)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var unused = (pool.BlockTokens - tokens % pool.BlockTokens) % pool.BlockTokens;
        if (unused == 0) { return; }
        CheckSide("target", pool, paged, 0, 0, new PagedWindow(0, 0, pool.Layers, 0, 0, tokens));
        var strides = AxisStrides.Of(pool);
        var block = PagedKv.BlockAt(paged.Blocks.Span, tokens / pool.BlockTokens);
        new CopyNest(ZeroKernel.Instance, 0, block * strides.Block + tokens % pool.BlockTokens * strides.Token, (long)pool.HeadDim * pool.DType.Bytes(), [
            new(2, 0, strides.Kv), new(pool.Layers, 0, strides.Layer), new(pool.Heads, 0, strides.Head), new(unused, 0, strides.Token)])
            .Run(ref Unsafe.NullRef<byte>(), 0, ref Unsafe.AsRef<byte>((void*)paged.Address), paged.Bytes);
    }

    private static List<string> Find(IReadOnlyList<KvLayout> sources, KvLayout target, bool sameLayers, out List<HeadPiece> pieces)
    {
        // A pool's tokens say how large it is, which is nobody else's business; a length that is none is reported as such.
        KvLayout[] shapes = [.. sources.Select(source => source.Tokens is >= 1 and <= KvLayout.MaxTokens ? source with { Tokens = 1 } : source)];
        var shape = target.Tokens is >= 1 and <= KvLayout.MaxTokens ? target with { Tokens = 1 } : target;
        var mismatches = ConversionPlanner.FindMismatches(shapes, shape, sameLayers ? null : default(LayerSlice));
        foreach (var (name, pool) in sources.Select((source, index) => ($"source {index}", source)).Append(("target", target)))
        {
            if (!pool.IsOpaque && pool.BlockTokens == 0) { mismatches.Add($"{name}: order={pool.Order.Name()} has no blocks, so it is no pool"); }
            else if (!pool.IsOpaque && pool.Tokens % pool.BlockTokens != 0) { mismatches.Add($"{name}: tokens={pool.Tokens} are not whole blocks of {pool.BlockTokens}"); }
        }
        pieces = HeadPiece.Cover(shapes, shape, mismatches);
        return mismatches;
    }

    private void Fence()
    {
        if (Array.Exists(_kernels, kernel => kernel.Streams)) { StreamingCopyKernel.Fence(); }
    }

    private void RunPiece(HeadPiece piece, RowKernel kernel, in PagedKv source, in PagedKv target, in PagedWindow window)
    {
        var sourceLayout = _sources[piece.Source];
        var (from, to) = (AxisStrides.Of(sourceLayout), AxisStrides.Of(Target));
        var sourceOffset = (piece.FirstHead - sourceLayout.FirstHead) * from.Head + window.SourceLayer * from.Layer;
        var targetOffset = (piece.FirstHead - Target.FirstHead) * to.Head + window.TargetLayer * to.Layer;
        var elements = kernel is CopyKernel or StreamingCopyKernel ? (long)Target.HeadDim * Target.DType.Bytes() : Target.HeadDim;
        var nests = new Dictionary<Progression, CopyNest>();
        ref var sourceStart = ref Unsafe.AsRef<byte>((void*)source.Address);
        ref var targetStart = ref Unsafe.AsRef<byte>((void*)target.Address);
        for (var token = 0; token < window.Tokens;)
        {
            var (first, steps) = NextStretch(from, to, source.Blocks.Span, target.Blocks.Span, window, ref token);
            if (!nests.TryGetValue(steps, out var nest))
            {
                nest = new CopyNest(kernel, 0, 0, elements, [
                    new(2, from.Kv, to.Kv), new(window.Layers, from.Layer, to.Layer), new(piece.Heads, from.Head, to.Head),
                    new(steps.Count, steps.SourceStride, steps.TargetStride), new(steps.Tokens, from.Token, to.Token)]);
                nests.Add(steps, nest);
            }
            var (at, onto) = (sourceOffset + first.SourceOffset, targetOffset + first.TargetOffset);
            nest.Run(ref Unsafe.AddByteOffset(ref sourceStart, (nint)at), source.Bytes - at,
                ref Unsafe.AddByteOffset(ref targetStart, (nint)onto), target.Bytes - onto);
        }
    }

    /// <summary>
    /// The next tokens that lie in one block on either side, and as many stretches of as many tokens after them as follow at equal
    /// distances: blocks that lie in order, and small blocks in a large one, are one nest.
    /// </summary>
    private static (PagedRun First, Progression Steps) NextStretch(
        in AxisStrides from, in AxisStrides to, ReadOnlySpan<int> sourceBlocks, ReadOnlySpan<int> targetBlocks, in PagedWindow window, ref int token)
    {
        var first = At(from, to, sourceBlocks, targetBlocks, window, token);
        token += (int)first.Bytes;
        long count = 1, sourceStride = 0, targetStride = 0;
        var last = first;
        while (token < window.Tokens)
        {
            var next = At(from, to, sourceBlocks, targetBlocks, window, token);
            var (sourceStep, targetStep) = (next.SourceOffset - last.SourceOffset, next.TargetOffset - last.TargetOffset);
            if (next.Bytes != first.Bytes || sourceStep < 0 || targetStep < 0 || (count > 1 && (sourceStep != sourceStride || targetStep != targetStride)))
            {
                break;
            }
            (sourceStride, targetStride, last) = (sourceStep, targetStep, next);
            count++;
            token += (int)next.Bytes;
        }
        return (first, new Progression((int)first.Bytes, count, sourceStride, targetStride));
    }

    /// <summary>Offsets of a token, and as length the tokens from there on that stay in its blocks.</summary>
    private static PagedRun At(
        in AxisStrides from, in AxisStrides to, ReadOnlySpan<int> sourceBlocks, ReadOnlySpan<int> targetBlocks, in PagedWindow window, int token)
    {
        var (sourceToken, targetToken) = (window.SourceToken + token, window.TargetToken + token);
        var (sourceSlot, targetSlot) = (sourceToken % from.BlockTokens, targetToken % to.BlockTokens);
        var tokens = Math.Min(window.Tokens - token, Math.Min(from.BlockTokens - sourceSlot, to.BlockTokens - targetSlot));
        return new PagedRun(
            PagedKv.BlockAt(sourceBlocks, sourceToken / from.BlockTokens) * from.Block + sourceSlot * from.Token,
            PagedKv.BlockAt(targetBlocks, targetToken / to.BlockTokens) * to.Block + targetSlot * to.Token, tokens);
    }

    private static void CheckSide(string name, KvLayout pool, in PagedKv paged, int layer, int firstToken, in PagedWindow window)
    {
        var poolBlocks = pool.Tokens / pool.BlockTokens;
        if (paged.Address == 0 || paged.Bytes != pool.PayloadBytes)
        {
            throw new ArgumentException($"The {name} has {paged.Bytes} bytes; '{pool}' has {pool.PayloadBytes}.");
        }
        if (layer < 0 || window.Layers < 1 || layer > pool.Layers - window.Layers || firstToken < 0 || window.Tokens < 1)
        {
            throw new ArgumentException($"{window} does not lie in the {name} of {pool.Layers} layers.");
        }
        var (firstBlock, endBlock) = (firstToken / pool.BlockTokens, ((long)firstToken + window.Tokens + pool.BlockTokens - 1) / pool.BlockTokens);
        var blocks = paged.Blocks.Span;
        if (endBlock > (blocks.IsEmpty ? poolBlocks : blocks.Length))
        {
            throw new ArgumentException($"{window} reaches past the {(blocks.IsEmpty ? poolBlocks : blocks.Length)} blocks that the {name} has for it.");
        }
        foreach (var block in blocks.IsEmpty ? [] : blocks[firstBlock..(int)endBlock])
        {
            if ((uint)block >= (uint)poolBlocks) { throw new ArgumentException($"Block {block} is none of the {poolBlocks} blocks of the {name}."); }
        }
    }

    /// <summary>Stretches of equally many tokens at equal distances.</summary>
    private readonly record struct Progression(int Tokens, long Count, long SourceStride, long TargetStride);
}
