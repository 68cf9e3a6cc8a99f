using System.Runtime.CompilerServices;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Casts one element at a time.</summary>
internal sealed class ScalarCastKernel(KvDType source, KvDType target, float ratio) : RowKernel
{
    public override int SourceElementBytes { get; } = source.Bytes();

    public override int TargetElementBytes { get; } = target.Bytes();

    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        for (nint i = 0; i < outer.Count; i++)
        {
            for (nint j = 0; j < inner.Count; j++)
            {
                Row(
                    ref Unsafe.AddByteOffset(ref source, (nint)(i * outer.SourceStride + j * inner.SourceStride)),
                    ref Unsafe.AddByteOffset(ref target, (nint)(i * outer.TargetStride + j * inner.TargetStride)), elements);
            }
        }
    }

    private void Row(ref byte from, ref byte to, nint elements)
    {
        for (nint index = 0; index < elements; index++)
        {
            ref var element = ref Unsafe.AddByteOffset(ref from, index * SourceElementBytes);
            var bits = SourceElementBytes switch
            {
                1 => element,
                2 => Unsafe.ReadUnaligned<ushort>(ref element),
                _ => Unsafe.ReadUnaligned<uint>(ref element),
            };
            var value = ElementCodec.Decode(source, bits);
            var code = ElementCodec.Encode(target, ratio == 1f ? value : value * ratio);
            ref var place = ref Unsafe.AddByteOffset(ref to, index * TargetElementBytes);
            if (TargetElementBytes == 1) { place = (byte)code; }
            else if (TargetElementBytes == 2) { Unsafe.WriteUnaligned(ref place, (ushort)code); }
            else { Unsafe.WriteUnaligned(ref place, code); }
        }
    }
}
