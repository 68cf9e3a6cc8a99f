using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ferry.Engine.Kernels;

/// <summary>The weights of one linear layer, cut into panels of 32 outputs that the tile kernels stream.</summary>
/// <remarks>
/// Panel p holds outputs 32p to 32p + 31 as <c>[depth, 32]</c>, in the format of the file (<see cref="IPanelFormat"/>); the last
/// panel is filled up with zeros. This is the only copy of the weights in memory; it belongs to the model's <see cref="WeightMemory"/>.
/// Immutable once filled.
/// </remarks>
internal sealed unsafe class PackedMatrix
{
    public const int PanelOutputs = 32;

    private readonly WeightMemory _memory;
    private readonly byte* _panels;

    /// <param name="outputs">Rows of the weight tensor: numbers that the layer yields.</param>
    /// <param name="depth">Columns of the weight tensor: numbers that the layer takes.</param>
    /// <param name="memory">Where the panels live.</param>
    public PackedMatrix(int outputs, int depth, WeightFormat format, WeightMemory memory)
    {
        _memory = memory;
        Outputs = outputs;
        Depth = depth;
        Format = format;
        PanelCount = (outputs + PanelOutputs - 1) / PanelOutputs;
        PanelBytes = (long)depth * PanelOutputs * format.Bytes();
        _panels = memory.Take(PanelCount * PanelBytes);
        if (outputs % PanelOutputs != 0)
        {
            new Span<byte>(_panels + ((PanelCount - 1) * PanelBytes), checked((int)PanelBytes)).Clear();
        }
    }

    public int Outputs { get; }

    public int Depth { get; }

    public WeightFormat Format { get; }

    public int PanelCount { get; }

    public long PanelBytes { get; }

    /// <summary>Added to every row of outputs, or null.</summary>
    public float* Bias { get; private set; }

    public byte* Panel(int index) => _panels + (index * PanelBytes);

    /// <summary>Which 16-bit element of a panel's row holds <paramref name="output"/> (0 to 31).</summary>
    public static int HalfIndex(int output) => output < 16 ? 2 * output : (2 * (output - 16)) + 1;

    /// <exception cref="ArgumentException">Not <see cref="Outputs"/> numbers.</exception>
    public void SetBias(ReadOnlySpan<float> bias)
    {
        if (bias.Length != Outputs)
        {
            throw new ArgumentException($"A bias of {bias.Length} numbers does not fit {Outputs} outputs.", nameof(bias));
        }
        Bias = _memory.TakeVector(bias);
    }

    /// <summary>Packs consecutive rows of a weight tensor; rows may start and end anywhere in a panel.</summary>
    /// <param name="firstOutput">Where the first row goes.</param>
    /// <param name="source">Row-major <c>[rows, depth]</c> of <paramref name="sourceFormat"/>, little-endian.</param>
    public void PackRows(int firstOutput, ReadOnlySpan<byte> source, WeightFormat sourceFormat)
    {
        int rowBytes = checked(Depth * sourceFormat.Bytes());
        int rows = source.Length / rowBytes;
        if (rows * (long)rowBytes != source.Length || firstOutput < 0 || firstOutput + rows > Outputs)
        {
            throw new ArgumentException($"{source.Length} bytes are not rows of {rowBytes} that fit at {firstOutput} of {Outputs} outputs.", nameof(source));
        }
        for (int row = 0; row < rows; row++)
        {
            PackRow(firstOutput + row, source.Slice(row * rowBytes, rowBytes), sourceFormat);
        }
    }

    /// <summary>Reads output <paramref name="output"/>'s weights back as floats: how a tied embedding is looked up.</summary>
    public void UnpackRow(int output, float* destination)
    {
        byte* panel = Panel(output / PanelOutputs);
        int lane = output % PanelOutputs;
        switch (Format)
        {
            case WeightFormat.Float32:
                Unpack<PanelFloat32>(panel, lane, destination);
                break;
            case WeightFormat.Float16:
                Unpack<PanelFloat16>(panel, lane, destination);
                break;
            default:
                Unpack<PanelBFloat16>(panel, lane, destination);
                break;
        }
    }

    private void PackRow(int output, ReadOnlySpan<byte> source, WeightFormat sourceFormat)
    {
        byte* panel = Panel(output / PanelOutputs);
        int lane = output % PanelOutputs;
        if (Format != WeightFormat.Float32)
        {
            if (sourceFormat != Format)
            {
                throw new ArgumentException($"{sourceFormat} weights do not fit panels of {Format}.", nameof(sourceFormat));
            }
            var halves = MemoryMarshal.Cast<byte, ushort>(source);
            ushort* element = (ushort*)panel + HalfIndex(lane);
            for (int k = 0; k < halves.Length; k++)
            {
                element[(long)k * PanelOutputs] = halves[k];
            }
            return;
        }
        float* target = (float*)panel + lane;
        for (int k = 0; k < Depth; k++)
        {
            target[(long)k * PanelOutputs] = ReadWeight(source, k, sourceFormat);
        }
    }

    /// <summary>Element <paramref name="index"/> of little-endian numbers, as a float.</summary>
    public static float ReadWeight(ReadOnlySpan<byte> source, int index, WeightFormat format) => format switch
    {
        WeightFormat.Float32 => BinaryPrimitives.ReadSingleLittleEndian(source[(4 * index)..]),
        WeightFormat.Float16 => (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * index)..]),
        _ => HalfBits.FromBFloat16(BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * index)..])),
    };

    private void Unpack<TFormat>(byte* panel, int lane, float* destination)
        where TFormat : struct, IPanelFormat
    {
        for (int k = 0; k < Depth; k++)
        {
            destination[k] = TFormat.Scalar(panel + ((long)k * TFormat.RowBytes), lane);
        }
    }
}
