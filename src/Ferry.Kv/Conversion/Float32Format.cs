using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct Float32Format : ISourceFormat, ITargetFormat
{
    public static KvDType DType => KvDType.Float32;

    public static int ElementBytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref byte from) => Vector512.LoadUnsafe(ref from).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to) => values.AsByte().StoreUnsafe(ref to);
}
