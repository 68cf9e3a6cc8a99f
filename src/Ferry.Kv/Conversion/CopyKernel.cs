using System.Runtime.CompilerServices;

namespace Ferry.Kv.Conversion;

/// <summary>Rows of bytes, unchanged.</summary>
internal sealed class CopyKernel : RowKernel
{
    public static CopyKernel Instance { get; } = new();

    public override int SourceElementBytes => 1;

    public override int TargetElementBytes => 1;

    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        for (nint i = 0; i < outer.Count; i++)
        {
            for (nint j = 0; j < inner.Count; j++)
            {
                Unsafe.CopyBlockUnaligned(
                    ref Unsafe.AddByteOffset(ref target, (nint)(i * outer.TargetStride + j * inner.TargetStride)),
                    ref Unsafe.AddByteOffset(ref source, (nint)(i * outer.SourceStride + j * inner.SourceStride)), (uint)elements);
            }
        }
    }
}
