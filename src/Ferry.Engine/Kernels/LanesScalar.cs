using System.Runtime.CompilerServices;

namespace Ferry.Engine.Kernels;

/// <summary>Sixteen lanes one after the other, for machines without vectors: the definition that the vector forms must equal.</summary>
internal unsafe struct LanesScalar : ILanes<LanesScalar>
{
    private const int Count = LaneMath.Lanes;

    private Values _values;

    public static LanesScalar Create(float value)
    {
        LanesScalar result = default;
        ((Span<float>)result._values).Fill(value);
        return result;
    }

    public static LanesScalar Load(float* source)
    {
        LanesScalar result = default;
        new ReadOnlySpan<float>(source, Count).CopyTo(result._values);
        return result;
    }

    public static LanesScalar LoadBFloat16(ushort* source)
    {
        LanesScalar result = default;
        for (int lane = 0; lane < Count; lane++)
        {
            result._values[lane] = HalfBits.FromBFloat16(source[lane]);
        }
        return result;
    }

    public static LanesScalar LoadFloat16(ushort* source)
    {
        LanesScalar result = default;
        for (int lane = 0; lane < Count; lane++)
        {
            result._values[lane] = (float)BitConverter.UInt16BitsToHalf(source[lane]);
        }
        return result;
    }

    public static void Store(LanesScalar value, float* destination) =>
        ((ReadOnlySpan<float>)value._values).CopyTo(new Span<float>(destination, Count));

    public static void StoreBFloat16(LanesScalar value, ushort* destination)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            destination[lane] = HalfBits.ToBFloat16(value._values[lane]);
        }
    }

    public static LanesScalar operator +(LanesScalar left, LanesScalar right)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            left._values[lane] += right._values[lane];
        }
        return left;
    }

    public static LanesScalar operator -(LanesScalar left, LanesScalar right)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            left._values[lane] -= right._values[lane];
        }
        return left;
    }

    public static LanesScalar operator *(LanesScalar left, LanesScalar right)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            left._values[lane] *= right._values[lane];
        }
        return left;
    }

    public static LanesScalar operator /(LanesScalar left, LanesScalar right)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            left._values[lane] /= right._values[lane];
        }
        return left;
    }

    public static LanesScalar Fma(LanesScalar left, LanesScalar right, LanesScalar addend)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            left._values[lane] = MathF.FusedMultiplyAdd(left._values[lane], right._values[lane], addend._values[lane]);
        }
        return left;
    }

    public static LanesScalar Greater(LanesScalar left, LanesScalar right)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            left._values[lane] = left._values[lane] > right._values[lane] ? left._values[lane] : right._values[lane];
        }
        return left;
    }

    public static LanesScalar WhenLess(LanesScalar value, LanesScalar limit, LanesScalar whenLess, LanesScalar otherwise)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            value._values[lane] = value._values[lane] < limit._values[lane] ? whenLess._values[lane] : otherwise._values[lane];
        }
        return value;
    }

    public static LanesScalar PowerOfTwo(LanesScalar shifted)
    {
        for (int lane = 0; lane < Count; lane++)
        {
            shifted._values[lane] = BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted._values[lane]) + 127) << 23);
        }
        return shifted;
    }

    public static void Transpose(float* source, float* target, nint stride) => LaneMath.Transpose(source, target, stride);

    [InlineArray(Count)]
    private struct Values
    {
        private float _first;
    }
}
