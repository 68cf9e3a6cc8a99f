using System.Runtime.CompilerServices;
using Ferry.Kv.Layout;

namespace Ferry.Engine.Kernels;

/// <summary>The row kernels, written once over lanes. A row's last, unfull lanes are worked on with zeros beside them.</summary>
internal sealed unsafe class KernelSet<TLanes, TTile> : KernelSet
    where TLanes : struct, ILanes<TLanes>
    where TTile : struct, ITile
{
    private const int Lanes = LaneMath.Lanes;

    public override void Tile(
        WeightFormat format, int rows, float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
    {
        switch (format)
        {
            case WeightFormat.Float32:
                TTile.Run<PanelFloat32>(rows, a, aStride, panel, c, cStride, depth, add);
                break;
            case WeightFormat.Float16:
                TTile.Run<PanelFloat16>(rows, a, aStride, panel, c, cStride, depth, add);
                break;
            default:
                TTile.Run<PanelBFloat16>(rows, a, aStride, panel, c, cStride, depth, add);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void RmsNorm(float* x, float* weight, float* y, int count, float epsilon)
    {
        var squares = TLanes.Create(0f);
        int whole = count - (count % Lanes);
        for (int i = 0; i < whole; i += Lanes)
        {
            var v = TLanes.Load(x + i);
            squares = TLanes.Fma(v, v, squares);
        }
        if (whole < count)
        {
            var v = LaneMath.LoadPart<TLanes>(x + whole, count - whole);
            squares = TLanes.Fma(v, v, squares);
        }
        var scale = TLanes.Create(1f / MathF.Sqrt((LaneMath.TreeSum(squares) / count) + epsilon));
        for (int i = 0; i < whole; i += Lanes)
        {
            TLanes.Store(TLanes.Load(x + i) * scale * TLanes.Load(weight + i), y + i);
        }
        if (whole < count)
        {
            int part = count - whole;
            var v = LaneMath.LoadPart<TLanes>(x + whole, part) * scale * LaneMath.LoadPart<TLanes>(weight + whole, part);
            LaneMath.StorePart(v, y + whole, part);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void SwiGlu(float* gate, float* up, float* y, int count)
    {
        int whole = count - (count % Lanes);
        for (int i = 0; i < whole; i += Lanes)
        {
            TLanes.Store(Silu(TLanes.Load(gate + i)) * TLanes.Load(up + i), y + i);
        }
        if (whole < count)
        {
            int part = count - whole;
            var v = Silu(LaneMath.LoadPart<TLanes>(gate + whole, part)) * LaneMath.LoadPart<TLanes>(up + whole, part);
            LaneMath.StorePart(v, y + whole, part);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Rotate(float* head, float* cos, float* sin, int half)
    {
        float* other = head + half;
        int whole = half - (half % Lanes);
        for (int i = 0; i < whole; i += Lanes)
        {
            var (a, b) = Turn(TLanes.Load(head + i), TLanes.Load(other + i), TLanes.Load(cos + i), TLanes.Load(sin + i));
            TLanes.Store(a, head + i);
            TLanes.Store(b, other + i);
        }
        if (whole < half)
        {
            int part = half - whole;
            var (a, b) = Turn(
                LaneMath.LoadPart<TLanes>(head + whole, part), LaneMath.LoadPart<TLanes>(other + whole, part),
                LaneMath.LoadPart<TLanes>(cos + whole, part), LaneMath.LoadPart<TLanes>(sin + whole, part));
            LaneMath.StorePart(a, head + whole, part);
            LaneMath.StorePart(b, other + whole, part);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Add(float* y, float* x, int count)
    {
        int whole = count - (count % Lanes);
        for (int i = 0; i < whole; i += Lanes)
        {
            TLanes.Store(TLanes.Load(y + i) + TLanes.Load(x + i), y + i);
        }
        for (int i = whole; i < count; i++)
        {
            y[i] += x[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Scale(float* y, float* x, float factor, int count)
    {
        var factors = TLanes.Create(factor);
        int whole = count - (count % Lanes);
        for (int i = 0; i < whole; i += Lanes)
        {
            TLanes.Store(TLanes.Load(x + i) * factors, y + i);
        }
        for (int i = whole; i < count; i++)
        {
            y[i] = x[i] * factor;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void StoreKv(KvDType dtype, float* source, byte* destination, int count)
    {
        switch (dtype)
        {
            case KvDType.Float32:
                new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));
                break;
            case KvDType.Float16:
                for (int i = 0; i < count; i++)
                {
                    ((Half*)destination)[i] = (Half)source[i];
                }
                break;
            case KvDType.BFloat16:
                int whole = count - (count % Lanes);
                for (int i = 0; i < whole; i += Lanes)
                {
                    TLanes.StoreBFloat16(TLanes.Load(source + i), (ushort*)destination + i);
                }
                for (int i = whole; i < count; i++)
                {
                    ((ushort*)destination)[i] = HalfBits.ToBFloat16(source[i]);
                }
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a type that the pool computes with.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void LoadKv(KvDType dtype, byte* source, float* destination, int count)
    {
        int whole = count - (count % Lanes);
        switch (dtype)
        {
            case KvDType.Float32:
                new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));
                break;
            case KvDType.Float16:
                for (int i = 0; i < whole; i += Lanes)
                {
                    TLanes.Store(TLanes.LoadFloat16((ushort*)source + i), destination + i);
                }
                for (int i = whole; i < count; i++)
                {
                    destination[i] = (float)((Half*)source)[i];
                }
                break;
            case KvDType.BFloat16:
                for (int i = 0; i < whole; i += Lanes)
                {
                    TLanes.Store(TLanes.LoadBFloat16((ushort*)source + i), destination + i);
                }
                for (int i = whole; i < count; i++)
                {
                    destination[i] = HalfBits.FromBFloat16(((ushort*)source)[i]);
                }
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a type that the pool computes with.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void UnpackKeys(KvDType dtype, byte** vectors, int count, int headDim, float* columns)
    {
        float* rows = stackalloc float[Lanes * Lanes];
        for (int d = 0; d < headDim; d += Lanes)
        {
            int part = Math.Min(Lanes, headDim - d);
            for (int key = 0; key < Lanes; key++)
            {
                TLanes.Store(key < count ? LoadLanes(dtype, vectors[key], d, part) : TLanes.Create(0f), rows + (key * Lanes));
            }
            if (part == Lanes)
            {
                TLanes.Transpose(rows, columns + (d * PackedMatrix.PanelOutputs), PackedMatrix.PanelOutputs);
                continue;
            }
            for (int column = 0; column < part; column++)
            {
                for (int key = 0; key < Lanes; key++)
                {
                    columns[((d + column) * PackedMatrix.PanelOutputs) + key] = rows[(key * Lanes) + column];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void UnpackValues(KvDType dtype, byte** vectors, int count, int headDim, float* rows, nint panelStride)
    {
        for (int key = 0; key < count; key++)
        {
            float* row = rows + (key * PackedMatrix.PanelOutputs);
            for (int d = 0; d < headDim; d += PackedMatrix.PanelOutputs, row += panelStride)
            {
                TLanes.Store(LoadLanes(dtype, vectors[key], d, Math.Min(Lanes, headDim - d)), row);
                int rest = headDim - d - Lanes;
                TLanes.Store(rest > 0 ? LoadLanes(dtype, vectors[key], d + Lanes, Math.Min(Lanes, rest)) : TLanes.Create(0f), row + Lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float SoftmaxTile(float* scores, int count, ref float max, ref float sum)
    {
        var greatest = TLanes.Load(scores);
        for (int i = Lanes; i < count; i += Lanes)
        {
            greatest = TLanes.Greater(TLanes.Load(scores + i), greatest);
        }
        float tileMax = LaneMath.Greatest(greatest);
        float newMax = tileMax > max ? tileMax : max;
        float* first = stackalloc float[Lanes];
        TLanes.Store(LaneMath.Exp(TLanes.Create(max - newMax)), first);
        var reference = TLanes.Create(newMax);
        var total = TLanes.Create(0f);
        for (int i = 0; i < count; i += Lanes)
        {
            var weight = LaneMath.Exp(TLanes.Load(scores + i) - reference);
            TLanes.Store(weight, scores + i);
            total += weight;
        }
        float rescale = first[0];
        max = newMax;
        sum = MathF.FusedMultiplyAdd(sum, rescale, LaneMath.TreeSum(total));
        return rescale;
    }

    /// <summary>Sixteen numbers of a vector from <paramref name="first"/> on, or its last <paramref name="part"/> ones and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TLanes LoadLanes(KvDType dtype, byte* vector, int first, int part) => part < Lanes
        ? LoadLastLanes(dtype, vector + (first * dtype.Bytes()), part)
        : dtype switch
        {
            KvDType.BFloat16 => TLanes.LoadBFloat16((ushort*)vector + first),
            KvDType.Float16 => TLanes.LoadFloat16((ushort*)vector + first),
            _ => TLanes.Load((float*)vector + first),
        };

    /// <summary>Apart from <see cref="LoadLanes"/>, which is inlined in loops, where the stack must not grow.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private TLanes LoadLastLanes(KvDType dtype, byte* source, int count)
    {
        float* lanes = stackalloc float[Lanes];
        new Span<float>(lanes, Lanes).Clear();
        LoadKv(dtype, source, lanes, count);
        return TLanes.Load(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Silu(TLanes x) => x / (TLanes.Create(1f) + LaneMath.Exp(TLanes.Create(0f) - x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes First, TLanes Second) Turn(TLanes a, TLanes b, TLanes cos, TLanes sin) =>
        (TLanes.Fma(a, cos, TLanes.Create(0f) - (b * sin)), TLanes.Fma(b, cos, a * sin));
}
