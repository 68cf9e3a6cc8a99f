using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Conversion;

/// <summary>Casts from an fp8: every code is looked up, 64 at a time where the processor permutes bytes across registers (AVX512_VBMI).</summary>
internal sealed class CodeTableKernel : RowKernel
{
    private const int Step = 64;

    private readonly CodeTable _table;

    /// <summary>One whole target element a code, for processors without the permutation and for the ends of rows.</summary>
    private readonly uint[] _elements = new uint[CodeTable.Codes];

    public CodeTableKernel(CodeTable table)
    {
        _table = table;
        for (var code = 0; code < CodeTable.Codes; code++) { _elements[code] = table[(byte)code]; }
    }

    public override int SourceElementBytes => 1;

    public override int TargetElementBytes => _table.TargetElementBytes;

    // Fully optimized from the first call: one call may convert a whole shard, so waiting for tier 1 would leave the first ones three times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        var whole = Avx512Vbmi.IsSupported ? elements - elements % Step : 0;
        if (whole > 0)
        {
            switch (TargetElementBytes)
            {
                case 1: WideBytes(ref source, ref target, whole, outer, inner); break;
                case 2: WideWords(ref source, ref target, whole, outer, inner); break;
                default: WideDoubleWords(ref source, ref target, whole, outer, inner); break;
            }
        }
        if (whole == elements) { return; }
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                ref var from = ref At(ref source, i * (nint)outer.SourceStride, j * (nint)inner.SourceStride);
                ref var to = ref At(ref target, i * (nint)outer.TargetStride, j * (nint)inner.TargetStride);
                ScalarRow(ref Unsafe.AddByteOffset(ref from, whole), ref Unsafe.AddByteOffset(ref to, whole * TargetElementBytes), elements - whole);
            }
        }
    }

    // The wide ones have both loops inside: their tables fill most registers, and filling those for each row would cost more than a short row.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WideBytes(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        var plane = new Plane(ref _table.Plane(0));
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                ref var from = ref At(ref source, i * (nint)outer.SourceStride, j * (nint)inner.SourceStride);
                ref var to = ref At(ref target, i * (nint)outer.TargetStride, j * (nint)inner.TargetStride);
                for (nint index = 0; index < elements; index += Step)
                {
                    plane.Find(Vector512.LoadUnsafe(ref from, (nuint)index)).StoreUnsafe(ref to, (nuint)index);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WideWords(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        var low = new Plane(ref _table.Plane(0));
        var high = new Plane(ref _table.Plane(1));
        // Interleaving works inside 16-byte lanes: so that its results come out in order, lane i gets eighths i and i + 4 of the codes.
        var eighths = Vector512.Create(0L, 4, 1, 5, 2, 6, 3, 7);
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                ref var from = ref At(ref source, i * (nint)outer.SourceStride, j * (nint)inner.SourceStride);
                ref var to = ref At(ref target, i * (nint)outer.TargetStride, j * (nint)inner.TargetStride);
                for (nint index = 0; index < elements; index += Step)
                {
                    var codes = Avx512F.PermuteVar8x64(Vector512.LoadUnsafe(ref from, (nuint)index).AsInt64(), eighths).AsByte();
                    var (lowBytes, highBytes) = (low.Find(codes), high.Find(codes));
                    ref var place = ref Unsafe.AddByteOffset(ref to, index * 2);
                    Avx512BW.UnpackLow(lowBytes, highBytes).StoreUnsafe(ref place);
                    Avx512BW.UnpackHigh(lowBytes, highBytes).StoreUnsafe(ref place, 64);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WideDoubleWords(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        var plane0 = new Plane(ref _table.Plane(0));
        var plane1 = new Plane(ref _table.Plane(1));
        var plane2 = new Plane(ref _table.Plane(2));
        var plane3 = new Plane(ref _table.Plane(3));
        // As for words, with two rounds of interleaving: lane i gets the groups of four codes i, i + 4, i + 8 and i + 12.
        var sixteenths = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                ref var from = ref At(ref source, i * (nint)outer.SourceStride, j * (nint)inner.SourceStride);
                ref var to = ref At(ref target, i * (nint)outer.TargetStride, j * (nint)inner.TargetStride);
                for (nint index = 0; index < elements; index += Step)
                {
                    var codes = Avx512F.PermuteVar16x32(Vector512.LoadUnsafe(ref from, (nuint)index).AsInt32(), sixteenths).AsByte();
                    var (byte0, byte1, byte2, byte3) = (plane0.Find(codes), plane1.Find(codes), plane2.Find(codes), plane3.Find(codes));
                    var lowFirst = Avx512BW.UnpackLow(byte0, byte1).AsInt16();
                    var highFirst = Avx512BW.UnpackLow(byte2, byte3).AsInt16();
                    var lowLast = Avx512BW.UnpackHigh(byte0, byte1).AsInt16();
                    var highLast = Avx512BW.UnpackHigh(byte2, byte3).AsInt16();
                    ref var place = ref Unsafe.AddByteOffset(ref to, index * 4);
                    Avx512BW.UnpackLow(lowFirst, highFirst).AsByte().StoreUnsafe(ref place);
                    Avx512BW.UnpackHigh(lowFirst, highFirst).AsByte().StoreUnsafe(ref place, 64);
                    Avx512BW.UnpackLow(lowLast, highLast).AsByte().StoreUnsafe(ref place, 128);
                    Avx512BW.UnpackHigh(lowLast, highLast).AsByte().StoreUnsafe(ref place, 192);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte At(ref byte start, nint outer, nint inner) => ref Unsafe.AddByteOffset(ref start, outer + inner);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScalarRow(ref byte from, ref byte to, nint elements)
    {
        ref var table = ref _elements[0];
        switch (TargetElementBytes)
        {
            case 1:
                for (nint index = 0; index < elements; index++)
                {
                    Unsafe.AddByteOffset(ref to, index) = (byte)Unsafe.Add(ref table, (nint)Unsafe.AddByteOffset(ref from, index));
                }
                break;
            case 2:
                for (nint index = 0; index < elements; index++)
                {
                    Unsafe.WriteUnaligned(
                        ref Unsafe.AddByteOffset(ref to, index * 2), (ushort)Unsafe.Add(ref table, (nint)Unsafe.AddByteOffset(ref from, index)));
                }
                break;
            default:
                for (nint index = 0; index < elements; index++)
                {
                    Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref to, index * 4), Unsafe.Add(ref table, (nint)Unsafe.AddByteOffset(ref from, index)));
                }
                break;
        }
    }

    /// <summary>256 bytes in four registers.</summary>
    private readonly struct Plane
    {
        private readonly Vector512<byte> _quarter0;
        private readonly Vector512<byte> _quarter1;
        private readonly Vector512<byte> _quarter2;
        private readonly Vector512<byte> _quarter3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Plane(ref byte bytes)
        {
            _quarter0 = Vector512.LoadUnsafe(ref bytes);
            _quarter1 = Vector512.LoadUnsafe(ref bytes, 64);
            _quarter2 = Vector512.LoadUnsafe(ref bytes, 128);
            _quarter3 = Vector512.LoadUnsafe(ref bytes, 192);
        }

        /// <summary>The permutation looks at the low seven bits of a code; the eighth chooses between its two results.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Find(Vector512<byte> codes)
        {
            var low = Avx512Vbmi.PermuteVar64x8x2(_quarter0, codes, _quarter1);
            var high = Avx512Vbmi.PermuteVar64x8x2(_quarter2, codes, _quarter3);
            return Vector512.ConditionalSelect(Vector512.LessThan(codes.AsSByte(), Vector512<sbyte>.Zero).AsByte(), high, low);
        }
    }
}
