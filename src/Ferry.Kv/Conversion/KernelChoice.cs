using System.Diagnostics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>The kernel for a pair of dtypes and scales.</summary>
internal static class KernelChoice
{
    /// <param name="streamingBytes">A target payload of at least this many bytes is written past the caches where its rows are whole lines.</param>
    public static RowKernel For(KvLayout source, KvLayout target, long streamingBytes)
    {
        var wholeLines = target.HeadDim * target.DType.Bytes() % StreamingCopyKernel.LineBytes == 0;
        var streams = wholeLines && target.PayloadBytes >= streamingBytes;
        if (source.DType == target.DType && source.Scale == target.Scale)
        {
            return streams ? StreamingCopyKernel.Instance : CopyKernel.Instance;
        }
        var cast = Cast(source, target, streams);
        return streams && !cast.Streams ? new StreamingCastKernel(cast) : cast;
    }

    /// <param name="streams">Whether it may; whoever does not itself is made to.</param>
    private static RowKernel Cast(KvLayout source, KvLayout target, bool streams)
    {
        var ratio = ElementCodec.Ratio(source.Scale, target.Scale);
        return source.DType switch
        {
            KvDType.Float32 => From<Float32Format>(target.DType, ratio),
            KvDType.Float16 => From<Float16Format>(target.DType, ratio),
            KvDType.BFloat16 => target.DType switch
            {
                KvDType.Float8E4M3Fn => ToFp8<Float8E4M3FnFormat>(ratio, streams),
                KvDType.Float8E4M3Fnuz => ToFp8<Float8E4M3FnuzFormat>(ratio, streams),
                KvDType.Float8E5M2 => ToFp8<Float8E5M2Format>(ratio, streams),
                var other => From<BFloat16Format>(other, ratio),
            },
            _ => new CodeTableKernel(new CodeTable(source.DType, target.DType, ratio)),
        };
    }

    private static RowKernel ToFp8<TTarget>(float ratio, bool streams) where TTarget : struct, IFp8Format =>
        BFloat16ToFp8Kernel<TTarget>.Takes(ratio) ? new BFloat16ToFp8Kernel<TTarget>(ratio, streams) : new CastKernel<BFloat16Format, TTarget>(ratio);

    private static RowKernel From<TSource>(KvDType target, float ratio) where TSource : struct, ISourceFormat => target switch
    {
        KvDType.Float32 => new CastKernel<TSource, Float32Format>(ratio),
        KvDType.Float16 => new CastKernel<TSource, Float16Format>(ratio),
        KvDType.BFloat16 => new CastKernel<TSource, BFloat16Format>(ratio),
        KvDType.Float8E4M3Fn => new CastKernel<TSource, Float8E4M3FnFormat>(ratio),
        KvDType.Float8E4M3Fnuz => new CastKernel<TSource, Float8E4M3FnuzFormat>(ratio),
        KvDType.Float8E5M2 => new CastKernel<TSource, Float8E5M2Format>(ratio),
        _ => throw new UnreachableException($"dtype {target}"),
    };
}
