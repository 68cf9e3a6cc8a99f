using System.Diagnostics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Turns layouts into nests of loops.</summary>
internal static class ConversionPlanner
{
    /// <summary>Every field in which a source does not fit the target, head cover aside.</summary>
    public static List<string> FindMismatches(KvLayout[] sources, KvLayout target)
    {
        var mismatches = new List<string>();
        foreach (var error in target.FindErrors()) { mismatches.Add($"target: {error}"); }
        if (target.IsOpaque) { mismatches.Add("target: order=opaque says nothing of its axes"); }
        if (sources.Length == 0) { mismatches.Add("there is no source"); }
        for (var index = 0; index < sources.Length; index++)
        {
            var source = sources[index];
            foreach (var error in source.FindErrors()) { mismatches.Add($"source {index}: {error}"); }
            if (source.IsOpaque) { mismatches.Add($"source {index}: order=opaque says nothing of its axes"); }
            Compare("layers", source.Layers, target.Layers);
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

    public static ConversionStep[] Plan(IReadOnlyList<KvLayout> sources, KvLayout target, List<HeadPiece> pieces, long streamingBytes)
    {
        var steps = new List<ConversionStep>();
        foreach (var piece in pieces) { AddPiece(steps, piece, sources[piece.Source], target, streamingBytes); }
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

    private static void AddPiece(List<ConversionStep> steps, HeadPiece piece, KvLayout sourceLayout, KvLayout target, long streamingBytes)
    {
        var (source, sink) = (AxisStrides.Of(sourceLayout), AxisStrides.Of(target));
        var sourceOffset = (piece.FirstHead - sourceLayout.FirstHead) * source.Head;
        var targetOffset = (piece.FirstHead - target.FirstHead) * sink.Head;
        var kernel = KernelChoice.For(sourceLayout, target, streamingBytes);
        var elements = kernel is CopyKernel or StreamingCopyKernel ? (long)target.HeadDim * target.DType.Bytes() : target.HeadDim;
        foreach (var region in TokenRegion.Cut(source, sink, target.Tokens))
        {
            var nest = new CopyNest(kernel, sourceOffset + region.SourceOffset, targetOffset + region.TargetOffset, elements, [
                new(2, source.Kv, sink.Kv), new(target.Layers, source.Layer, sink.Layer), new(piece.Heads, source.Head, sink.Head), .. region.Loops]);
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
