using System.Diagnostics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Turns layouts into nests of loops.</summary>
internal static class ConversionPlanner
{
    /// <summary>Every field in which a source does not fit the target, head cover aside.</summary>
    public static List<string> FindMismatches(KvLayout[] sources, KvLayout target, LayerSlice? slice)
    {
        var mismatches = new List<string>();
        foreach (var error in target.FindErrors()) { mismatches.Add($"target: {error}"); }
        if (target.IsOpaque) { mismatches.Add("target: order=opaque says nothing of its axes"); }
        if (slice is { } wanted && (wanted.Target < 0 || wanted.Target >= target.Layers)) { mismatches.Add($"target: layer {wanted.Target} is not one of its {target.Layers}"); }
        if (sources.Length == 0) { mismatches.Add("there is no source"); }
        for (var index = 0; index < sources.Length; index++)
        {
            var source = sources[index];
            foreach (var error in source.FindErrors()) { mismatches.Add($"source {index}: {error}"); }
            if (source.IsOpaque) { mismatches.Add($"source {index}: order=opaque says nothing of its axes"); }
            if (slice is not { } layer) { Compare("layers", source.Layers, target.Layers); }
            else if (layer.Source < 0 || layer.Source >= source.Layers) { mismatches.Add($"source {index}: layer {layer.Source} is not one of its {source.Layers}"); }
            Compare("model heads", source.ModelHeads, target.ModelHeads);
            Compare("head_dim", source.HeadDim, target.HeadDim);
            Compare("tokens", source.Tokens, target.Tokens);
            if (!float.IsNormal(ElementCodec.Ratio(source.Scale, target.Scale)))
            {
                mismatches.Add($"source {index}: scale={source.Scale} over the target's scale={target.Scale} is outside the range of fp32");
            }

            void Compare(string name, int sourceValue, int targetValue)
            {
                if (sourceValue != targetValue) { mismatches.Add($"source {index}: {name}={sourceValue}, the target has {targetValue}"); }
            }
        }
        return mismatches;
    }

    public static ConversionStep[] Plan(IReadOnlyList<KvLayout> sources, KvLayout target, LayerSlice? slice, List<HeadPiece> pieces, long streamingBytes)
    {
        var steps = new List<ConversionStep>();
        foreach (var piece in pieces) { AddPiece(steps, piece, sources[piece.Source], target, slice, streamingBytes); }
        AddZeroTail(steps, target);
        foreach (var step in steps)
        {
            // What the kernels rely on when they check no bounds.
            if (step.Nest.TargetEndBytes > target.PayloadBytes
                || (step.Source >= 0 && step.Nest.SourceEndBytes > sources[step.Source].PayloadBytes))
            {
                throw new UnreachableException("A planned nest reaches outside a payload.");
            }
        }
        return [.. steps];
    }

    private static void AddPiece(List<ConversionStep> steps, HeadPiece piece, KvLayout sourceLayout, KvLayout target, LayerSlice? slice, long streamingBytes)
    {
        var (source, sink) = (AxisStrides.Of(sourceLayout), AxisStrides.Of(target));
        var sourceOffset = (piece.FirstHead - sourceLayout.FirstHead) * source.Head + (slice?.Source ?? 0) * source.Layer;
        var targetOffset = (piece.FirstHead - target.FirstHead) * sink.Head + (slice?.Target ?? 0) * sink.Layer;
        var layers = slice is null ? target.Layers : 1;
        var kernel = KernelChoice.For(sourceLayout, target, streamingBytes);
        var elements = kernel is CopyKernel or StreamingCopyKernel ? (long)target.HeadDim * target.DType.Bytes() : target.HeadDim;
        foreach (var region in TokenRegion.Cut(source, sink, target.Tokens))
        {
            var nest = new CopyNest(kernel, sourceOffset + region.SourceOffset, targetOffset + region.TargetOffset, elements, [
                new(2, source.Kv, sink.Kv), new(layers, source.Layer, sink.Layer), new(piece.Heads, source.Head, sink.Head), .. region.Loops]);
            steps.Add(new ConversionStep(piece.Source, nest));
        }
    }

    private static void AddZeroTail(List<ConversionStep> steps, KvLayout target)
    {
        if (target.PayloadTokens == target.Tokens) { return; }
        var sink = AxisStrides.Of(target);
        steps.Add(new ConversionStep(-1, new CopyNest(
            ZeroKernel.Instance, 0, sink.TokenOffset(target.Tokens), (long)target.HeadDim * target.DType.Bytes(), [
                new(2, 0, sink.Kv), new(target.Layers, 0, sink.Layer), new(target.Heads, 0, sink.Head),
                new(target.PayloadTokens - target.Tokens, 0, sink.Token)])));
    }
}
