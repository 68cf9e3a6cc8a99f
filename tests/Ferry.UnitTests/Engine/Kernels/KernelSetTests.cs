using Ferry.Engine.Kernels;
using Ferry.Kv.Layout;
using Xunit;

namespace Ferry.UnitTests.Engine.Kernels;

public sealed unsafe class KernelSetTests
{
    public static TheoryData<int> Widths => [.. Enum.GetValues<VectorWidth>().Select(width => (int)width)];

    public static TheoryData<int, int> WidthsAndFormats => new(
        from width in Enum.GetValues<VectorWidth>() from format in Enum.GetValues<WeightFormat>() select ((int)width, (int)format));

    [Theory]
    [MemberData(nameof(WidthsAndFormats))]
    public void Tile_AnyRowCount_EqualsAPlainLoopOfFusedMultiplyAdds(int width, int format)
    {
        const int Depth = 53;
        var kernels = KernelSet.For((VectorWidth)width);
        var random = new Random(4);
        using var memory = new WeightMemory();
        var matrix = new PackedMatrix(PackedMatrix.PanelOutputs, Depth, (WeightFormat)format, memory);
        byte[] weights = RandomWeights(random, PackedMatrix.PanelOutputs * Depth, (WeightFormat)format);
        matrix.PackRows(0, weights, (WeightFormat)format);
        for (int rows = 1; rows <= 27; rows++)
        {
            float[] a = RandomFloats(random, rows * (Depth + 3));
            float[] c = RandomFloats(random, rows * 40);
            float[] expected = [.. c];
            for (int row = 0; row < rows; row++)
            {
                for (int output = 0; output < PackedMatrix.PanelOutputs; output++)
                {
                    float sum = 0;
                    for (int k = 0; k < Depth; k++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[(row * (Depth + 3)) + k], PackedMatrix.ReadWeight(weights, (output * Depth) + k, (WeightFormat)format), sum);
                    }
                    expected[(row * 40) + output] = rows % 2 == 0 ? sum + c[(row * 40) + output] : sum;
                }
            }
            fixed (float* inputs = a, outputs = c)
            {
                kernels.Tile((WeightFormat)format, rows, inputs, Depth + 3, matrix.Panel(0), outputs, 40, Depth, add: rows % 2 == 0);
            }
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), c.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void SwiGlu_AllMagnitudes_IsCloseToDoubleAndHasTheScalarBits(int width)
    {
        float[] gate = [.. Enumerable.Range(-2000, 4001).Select(i => i * 0.05f), -1e30f, 1e30f, 0f];
        float[] up = [.. gate.Select((_, i) => 1f + (i % 7))];
        float[] found = Swish((VectorWidth)width, gate, up);
        Assert.Equal(Swish(VectorWidth.Scalar, gate, up).Select(BitConverter.SingleToInt32Bits), found.Select(BitConverter.SingleToInt32Bits));
        for (int i = 0; i < gate.Length; i++)
        {
            double expected = gate[i] / (1 + Math.Exp(-(double)gate[i])) * up[i];
            Assert.InRange(found[i], expected - (1e-6 * Math.Abs(expected)) - 1e-30, expected + (1e-6 * Math.Abs(expected)) + 1e-30);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void SoftmaxTile_TilesWithMaskedTails_SumsToTheWholeSoftmax(int width)
    {
        var kernels = KernelSet.For((VectorWidth)width);
        float[] scores = RandomFloats(new Random(8), 64).Select(value => 20 * value).ToArray();
        scores.AsSpan(50).Fill(float.NegativeInfinity);
        float max = float.NegativeInfinity;
        float sum = 0;
        double first;
        float[] tiles = [.. scores];
        fixed (float* line = tiles)
        {
            Assert.Equal(0f, kernels.SoftmaxTile(line, 32, ref max, ref sum));
            float rescale = kernels.SoftmaxTile(line + 32, 32, ref max, ref sum);
            first = tiles[0] * rescale / sum;
            // A tile in which nothing is visible changes nothing.
            float before = sum;
            new Span<float>(line, 32).Fill(float.NegativeInfinity);
            Assert.Equal(1f, kernels.SoftmaxTile(line, 32, ref max, ref sum));
            Assert.Equal(before, sum);
        }
        double greatest = scores.Max();
        double total = scores.Sum(score => Math.Exp(score - greatest));
        Assert.Equal(Math.Exp(scores[0] - greatest) / total, first, 1e-6);
        Assert.All(tiles[50..], weight => Assert.Equal(0f, weight));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void StoreKv_EveryKindOfFloat_RoundsToNearestEven(int width)
    {
        var kernels = KernelSet.For((VectorWidth)width);
        float[] values = [0f, -0f, 1f, 1.00390625f, 1.01171875f, 3.3895314e38f, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e-40f, -1e-45f, 65504f, 65520f, 6e-8f, 1e-8f, .. RandomFloats(new Random(3), 51)];
        var bf16 = new ushort[values.Length];
        var fp16 = new Half[values.Length];
        var back = new float[values.Length];
        fixed (float* source = values, target = back)
        {
            fixed (ushort* stored = bf16)
            {
                kernels.StoreKv(KvDType.BFloat16, source, (byte*)stored, values.Length);
                kernels.LoadKv(KvDType.BFloat16, (byte*)stored, target, values.Length);
            }
            Assert.Equal(bf16.Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)), back);
            fixed (Half* stored = fp16)
            {
                kernels.StoreKv(KvDType.Float16, source, (byte*)stored, values.Length);
                kernels.LoadKv(KvDType.Float16, (byte*)stored, target, values.Length);
            }
            Assert.Equal(values.Select(value => (float)(Half)value), back);
        }
        for (int i = 0; i < values.Length; i++)
        {
            Assert.Equal(NearestBFloat16(values[i]), BitConverter.UInt32BitsToSingle((uint)bf16[i] << 16));
        }
    }

    [Theory]
    [InlineData(45)]
    [InlineData(64)]
    [InlineData(33)]
    public void MatrixProduct_OutputsThatFillNoPanel_LeavesItsNeighboursAlone(int outputs)
    {
        const int Depth = 20;
        var random = new Random(6);
        using var memory = new WeightMemory();
        var matrix = new PackedMatrix(outputs, Depth, WeightFormat.Float32, memory);
        byte[] weights = RandomWeights(random, outputs * Depth, WeightFormat.Float32);
        matrix.PackRows(0, weights, WeightFormat.Float32);
        float[] bias = RandomFloats(random, outputs);
        matrix.SetBias(bias);
        using var workers = new WorkerPool(2);
        var product = new MatrixProduct(KernelSet.For(VectorWidths.Best), workers);
        const int Rows = 14;
        float[] a = RandomFloats(random, Rows * Depth);
        var c = new float[(Rows * (outputs + 1)) + 1];
        c.AsSpan().Fill(-7f);
        fixed (float* inputs = a, results = c)
        {
            product.Run(matrix, inputs, Depth, Rows, results + 1, outputs + 1, add: false);
        }
        for (int row = 0; row < Rows; row++)
        {
            Assert.Equal(-7f, c[row * (outputs + 1)]);
            for (int output = 0; output < outputs; output++)
            {
                float sum = 0;
                for (int k = 0; k < Depth; k++)
                {
                    sum = MathF.FusedMultiplyAdd(a[(row * Depth) + k], PackedMatrix.ReadWeight(weights, (output * Depth) + k, WeightFormat.Float32), sum);
                }
                Assert.Equal(sum + bias[output], c[1 + (row * (outputs + 1)) + output]);
            }
        }
    }

    private static float NearestBFloat16(float value)
    {
        if (!float.IsFinite(value))
        {
            return value;
        }
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint below = bits & 0xFFFF0000u;
        uint rest = bits & 0xFFFFu;
        bool up = rest > 0x8000 || (rest == 0x8000 && (bits & 0x10000) != 0);
        return BitConverter.UInt32BitsToSingle(up ? below + 0x10000 : below);
    }

    private static float[] Swish(VectorWidth width, float[] gate, float[] up)
    {
        var result = new float[gate.Length];
        fixed (float* a = gate, b = up, y = result)
        {
            KernelSet.For(width).SwiGlu(a, b, y, gate.Length);
        }
        return result;
    }

    private static float[] RandomFloats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

    private static byte[] RandomWeights(Random random, int count, WeightFormat format)
    {
        var bytes = new List<byte>();
        foreach (float value in RandomFloats(random, count))
        {
            bytes.AddRange(format switch
            {
                WeightFormat.Float32 => BitConverter.GetBytes(value),
                // Some subnormal halves among them.
                WeightFormat.Float16 => BitConverter.GetBytes((Half)(random.Next(5) == 0 ? value * 1e-5f : value)),
                _ => BitConverter.GetBytes(HalfBits.ToBFloat16(value)),
            });
        }
        return [.. bytes];
    }
}
