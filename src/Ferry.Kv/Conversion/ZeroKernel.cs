using System.Runtime.CompilerServices;

namespace Ferry.Kv.Conversion;

/// <summary>Rows of zero bytes: the unused tokens of a partial last block.</summary>
internal sealed class ZeroKernel : RowKernel
{
    public static ZeroKernel Instance { get; } = new();

    public override int SourceElementBytes => 0;

    public override int TargetElementBytes => 1;

    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        for (nint i = 0; i < outer.Count; i++)
        {
            for (nint j = 0; j < inner.Count; j++)
            {
                Unsafe.InitBlockUnaligned(
                    ref Unsafe.AddByteOffset(ref target, (nint)(i * outer.TargetStride + j * inner.TargetStride)), 0, (uint)elements);
            }
        }
    }
}
