using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct BFloat16Format : ISourceFormat, ITargetFormat
{
    public static KvDType DType => KvDType.BFloat16;

    public static int ElementBytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref byte from) => (VectorWidth.LoadWords(ref from) << 16).AsSingle();

    // Not the processor's own conversion (AVX512_BF16): it turns subnormals into zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to)
    {
        var bits = values.AsUInt32();
        var high = bits >>> 16;
        var rounded = (bits + Vector512.Create(0x7FFFu) + (high & Vector512.Create(1u))) >>> 16;
        var isNumber = Vector512.Equals(values, values).AsUInt32();
        VectorWidth.StoreWords(Vector512.ConditionalSelect(isNumber, rounded, high | Vector512.Create(0x40u)), ref to);
    }
}
