using System.Runtime.InteropServices;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Xunit;

namespace Ferry.UnitTests.Conversion;

/// <summary>Every code of every small dtype, cast to every dtype, in the vector kernels and in their scalar ends.</summary>
public sealed class CastTableTests
{
    public static TheoryData<KvDType, KvDType, float, float> SmallPairs()
    {
        var pairs = new TheoryData<KvDType, KvDType, float, float>();
        foreach (var source in Enum.GetValues<KvDType>().Where(dtype => dtype != KvDType.Float32))
        {
            foreach (var target in Enum.GetValues<KvDType>())
            {
                pairs.Add(source, target, 1f, 1f);
                if (source.IsFp8()) { pairs.Add(source, target, 0.37f, 1f); }
                if (target.IsFp8())
                {
                    pairs.Add(source, target, 1f, 0.021f);
                    foreach (var power in (ReadOnlySpan<int>)[-64, -2, 1, 64, 65]) { pairs.Add(source, target, 1f, MathF.ScaleB(1, power)); }
                }
            }
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(SmallPairs))]
    public void Cast_EveryCode_EqualsTheReference(KvDType source, KvDType target, float sourceScale, float targetScale)
    {
        var codes = new byte[source.Bytes() == 1 ? 256 : 131072];
        for (var code = 0; code < codes.Length / source.Bytes(); code++) { KvReference.Write(codes, source.Bytes(), code, (uint)code); }
        foreach (var headDim in (ReadOnlySpan<int>)[64, 2, 40, 96]) // Whole steps, none, and two kinds of remainder.
        {
            var vectorBytes = 2 * headDim * source.Bytes();
            Array.Resize(ref codes, (codes.Length + vectorBytes - 1) / vectorBytes * vectorBytes);
            AssertCast(source, sourceScale, target, targetScale, codes, headDim);
        }
    }

    [Theory]
    [InlineData(KvDType.Float16, 1f)]
    [InlineData(KvDType.BFloat16, 1f)]
    [InlineData(KvDType.Float8E4M3Fn, 1f)]
    [InlineData(KvDType.Float8E4M3Fnuz, 1f)]
    [InlineData(KvDType.Float8E5M2, 1f)]
    [InlineData(KvDType.Float8E4M3Fn, 0.021f)]
    public void Cast_Fp32AroundEveryBoundaryOfTheTarget_EqualsTheReference(KvDType target, float scale)
    {
        var values = new List<uint> { 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0x7F7FFFFF, 1, 0x007FFFFF, 0x00800000 };
        for (var code = 0u; code < 1u << (8 * target.Bytes() - 1); code++)
        {
            var value = (float)ReferenceCast.Value(target, code);
            var next = (float)ReferenceCast.Value(target, code + 1);
            if (!float.IsFinite(value)) { continue; }
            var middle = float.IsFinite(next) ? (float)(((double)value + next) / 2) : value;
            foreach (var point in (ReadOnlySpan<float>)[value * scale, middle * scale])
            {
                var bits = BitConverter.SingleToUInt32Bits(point);
                values.AddRange([bits, bits + 1, Math.Max(bits, 1) - 1]);
            }
        }
        values.AddRange([.. values.Select(bits => bits | 0x80000000)]);
        while (values.Count % 128 != 0) { values.Add(0); }
        AssertCast(KvDType.Float32, 1f, target, scale, MemoryMarshal.AsBytes<uint>(values.ToArray()).ToArray(), headDim: 64);
    }

    [Fact]
    public void Cast_Fp16_EqualsTheRuntimesOwnConversion()
    {
        for (var code = 0u; code < 65536; code++)
        {
            var value = BitConverter.UInt16BitsToHalf((ushort)code);
            if (Half.IsNaN(value)) { continue; }
            Assert.Equal((float)value, ElementCodec.Decode(KvDType.Float16, code));
            Assert.Equal(code, ElementCodec.Encode(KvDType.Float16, (float)value));
        }
    }

    [Fact]
    public void Cast_FnuzToFnWithHalfTheScale_KeepsAllBitsButTheSpecialCodes()
    {
        var codes = Enumerable.Range(0, 256).Select(code => (byte)code).ToArray();
        var cast = Run(KvDType.Float8E4M3Fnuz, 1f, KvDType.Float8E4M3Fn, 0.5f, codes, headDim: 128);
        for (var code = 0; code < 256; code++)
        {
            var expected = code switch { 0x80 => 0x7F, 0x7F => 0x7E, 0xFF => 0xFE, _ => code };
            Assert.Equal(expected, cast[code]);
        }
    }

    [Theory]
    [InlineData(KvDType.Float32, 0x7F800001u)]
    [InlineData(KvDType.Float16, 0x7C01u)]
    [InlineData(KvDType.BFloat16, 0xFF81u)]
    [InlineData(KvDType.Float8E5M2, 0x7Du)]
    public void Cast_SameDType_KeepsASignallingNansPayload(KvDType dtype, uint nan)
    {
        var codes = new byte[dtype.Bytes() * 128];
        for (var index = 0; index < 128; index++) { KvReference.Write(codes, dtype.Bytes(), index, nan); }
        Assert.Equal(codes, Run(dtype, 1f, dtype, 1f, codes, headDim: 64));
    }

    private static void AssertCast(KvDType source, float sourceScale, KvDType target, float targetScale, byte[] codes, int headDim)
    {
        var actual = Run(source, sourceScale, target, targetScale, codes, headDim);
        var (sourceLayout, to) = Layouts(source, sourceScale, target, targetScale, codes, headDim);
        for (var index = 0; index < codes.Length / source.Bytes(); index++)
        {
            var bits = KvReference.Read(codes, source.Bytes(), index);
            var place = KvReference.Index(to, index / headDim / sourceLayout.Tokens, 0, index / headDim % sourceLayout.Tokens, 0, index % headDim);
            var (expected, got) = (ReferenceCast.Cast(sourceLayout, to, bits), KvReference.Read(actual, target.Bytes(), place));
            if (expected != got) { Assert.Fail($"{source.Name()} 0x{bits:X} became {target.Name()} 0x{got:X}, not 0x{expected:X}"); }
        }
    }

    /// <summary>The codes as a 2LTD payload whose vectors are <paramref name="headDim"/> long.</summary>
    private static byte[] Run(KvDType source, float sourceScale, KvDType target, float targetScale, byte[] codes, int headDim)
    {
        var (sourceLayout, to) = Layouts(source, sourceScale, target, targetScale, codes, headDim);
        var result = new byte[to.PayloadBytes];
        ConversionPlan.Create([sourceLayout], to).Run(codes, result);
        return result;
    }

    private static (KvLayout From, KvLayout To) Layouts(
        KvDType source, float sourceScale, KvDType target, float targetScale, byte[] codes, int headDim)
    {
        var shape = new KvLayout
        {
            Layers = 1,
            ModelHeads = 1,
            FirstHead = 0,
            Heads = 1,
            HeadDim = headDim,
            Tokens = codes.Length / source.Bytes() / headDim / 2,
            BlockTokens = 0,
            DType = source,
            Order = KvOrder.TwoLtd,
            Packing = KvPacking.Split,
            Scale = sourceScale,
        };
        // The other order makes every vector a row of its own, so that short ones are cast by the scalar ends of the kernels.
        return (shape, shape with { DType = target, Scale = targetScale, Order = KvOrder.T2d });
    }
}
