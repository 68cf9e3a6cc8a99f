using Ferry.Kv.Layout;

namespace Ferry.TestKit.Conversion;

/// <summary>Casts by search: a number becomes the nearest code of the target format, the even one of two as near.</summary>
public static class ReferenceCast
{
    private static readonly Dictionary<KvDType, (double Value, uint Code)[]> Magnitudes = [];

    public static uint Cast(KvLayout source, KvLayout target, uint bits)
    {
        if (source.DType == target.DType && source.Scale == target.Scale) { return bits; }
        var value = Value(source.DType, bits);
        var ratio = (float)((double)source.Scale / target.Scale);
        // fp32 to fp32 is always a copy, so the product is the one place where fp32 arithmetic is part of the definition.
        var scaled = ratio == 1f ? value : (float)value * ratio;
        return double.IsNaN(value) ? NanCode(source.DType, target.DType, bits) : Nearest(target.DType, scaled);
    }

    /// <summary>What a code means, from the fields of its format; every dtype fits double exactly.</summary>
    public static double Value(KvDType dtype, uint bits)
    {
        var (width, mantissaBits, bias) = Shape(dtype);
        var sign = (bits >> (width - 1)) == 0 ? 1.0 : -1.0;
        var magnitude = bits & ((1u << (width - 1)) - 1);
        var (exponent, mantissa) = ((int)(magnitude >> mantissaBits), magnitude & ((1u << mantissaBits) - 1));
        if (dtype == KvDType.Float8E4M3Fnuz && bits == 0x80) { return double.NaN; }
        if (dtype == KvDType.Float8E4M3Fn && magnitude == 0x7F) { return double.NaN; }
        if (dtype is not (KvDType.Float8E4M3Fn or KvDType.Float8E4M3Fnuz) && exponent == (1 << (width - 1 - mantissaBits)) - 1)
        {
            return mantissa == 0 ? sign * double.PositiveInfinity : double.NaN;
        }
        return sign * (exponent == 0
            ? mantissa * Math.Pow(2, 1 - bias - mantissaBits)
            : ((1u << mantissaBits) + mantissa) * Math.Pow(2, exponent - bias - mantissaBits));
    }

    private static uint Nearest(KvDType dtype, double value)
    {
        var signBit = double.IsNegative(value) ? 1u << (Shape(dtype).Width - 1) : 0;
        if (dtype == KvDType.Float32) { return BitConverter.SingleToUInt32Bits((float)value); }
        var magnitudes = MagnitudesOf(dtype);
        var magnitude = Math.Abs(value);
        // fp16 and bf16 round to infinity where the next power of two would be nearer; fp8 stays at its largest.
        var above = Array.BinarySearch(magnitudes, (magnitude, 0u), ByValue);
        if (above < 0) { above = ~above; }
        uint code;
        if (above == magnitudes.Length) { code = magnitudes[^1].Code; }
        else if (above == 0 || magnitudes[above].Value == magnitude) { code = magnitudes[above].Code; }
        else
        {
            var (low, high) = (magnitudes[above - 1], magnitudes[above]);
            var (down, up) = (magnitude - low.Value, high.Value - magnitude);
            code = down < up || (down == up && low.Code % 2 == 0) ? low.Code : high.Code;
        }
        if (IsFp8(dtype) is false && code == magnitudes[^1].Code) { code = InfinityCode(dtype); }
        return dtype == KvDType.Float8E4M3Fnuz && code == 0 ? 0 : code | signBit;
    }

    /// <summary>All non-negative finite codes in order of value; for fp16 and bf16 also 2^(largest exponent + 1), which stands for infinity.</summary>
    private static (double Value, uint Code)[] MagnitudesOf(KvDType dtype)
    {
        lock (Magnitudes)
        {
            if (Magnitudes.TryGetValue(dtype, out var known)) { return known; }
            var (width, mantissaBits, bias) = Shape(dtype);
            var codes = (from code in Enumerable.Range(0, 1 << (width - 1))
                         let value = Value(dtype, (uint)code)
                         where double.IsFinite(value)
                         select (value, (uint)code)).ToList();
            if (!IsFp8(dtype)) { codes.Add((Math.Pow(2, (1 << (width - 1 - mantissaBits)) - 1 - bias), InfinityCode(dtype))); }
            return Magnitudes[dtype] = [.. codes];
        }
    }

    /// <summary>Sign kept; payload kept as far as it fits, quiet unless fp16 or bf16 is widened; fp8 has one NaN a sign, e4m3fnuz one in all.</summary>
    private static uint NanCode(KvDType source, KvDType target, uint bits)
    {
        var from = Shape(source);
        var to = Shape(target);
        var sign = source == KvDType.Float8E4M3Fnuz ? 0 : (bits >> (from.Width - 1)) << (to.Width - 1);
        if (target == KvDType.Float8E4M3Fnuz) { return 0x80; }
        if (IsFp8(target)) { return sign | 0x7F; }
        var payload = source is KvDType.Float8E4M3Fn or KvDType.Float8E4M3Fnuz
            ? 1u << 22
            : (bits & ((1u << from.MantissaBits) - 1)) << (23 - from.MantissaBits);
        var quiet = to.MantissaBits < 23 || IsFp8(source) ? 1u << (to.MantissaBits - 1) : 0;
        return sign | InfinityCode(target) | quiet | payload >> (23 - to.MantissaBits);
    }

    private static uint InfinityCode(KvDType dtype) => dtype switch
    {
        KvDType.Float16 => 0x7C00,
        KvDType.BFloat16 => 0x7F80,
        _ => 0x7F800000,
    };

    private static bool IsFp8(KvDType dtype) => Shape(dtype).Width == 8;

    private static (int Width, int MantissaBits, int Bias) Shape(KvDType dtype) => dtype switch
    {
        KvDType.Float32 => (32, 23, 127),
        KvDType.Float16 => (16, 10, 15),
        KvDType.BFloat16 => (16, 7, 127),
        KvDType.Float8E4M3Fn => (8, 3, 7),
        KvDType.Float8E4M3Fnuz => (8, 3, 8),
        _ => (8, 2, 15),
    };

    private static readonly Comparer<(double Value, uint Code)> ByValue =
        Comparer<(double Value, uint Code)>.Create((left, right) => left.Value.CompareTo(right.Value));
}
