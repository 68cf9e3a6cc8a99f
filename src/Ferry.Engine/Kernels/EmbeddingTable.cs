namespace Ferry.Engine.Kernels;

/// <summary>Token vectors, row-major in the format of the file. A tied model has none: its head's panels are read instead.</summary>
internal sealed unsafe class EmbeddingTable
{
    private readonly byte* _rows;

    public EmbeddingTable(int rows, int width, WeightFormat format, WeightMemory memory)
    {
        Rows = rows;
        Width = width;
        Format = format;
        _rows = memory.Take(ByteCount);
    }

    public int Rows { get; }

    public int Width { get; }

    public WeightFormat Format { get; }

    public long ByteCount => (long)Rows * Width * Format.Bytes();

    /// <param name="source">Whole rows of <see cref="Format"/>, little-endian.</param>
    public void SetRows(int firstRow, ReadOnlySpan<byte> source)
    {
        long offset = (long)firstRow * Width * Format.Bytes();
        if (firstRow < 0 || offset + source.Length > ByteCount)
        {
            throw new ArgumentException($"{source.Length} bytes do not fit at row {firstRow} of {Rows}.", nameof(source));
        }
        source.CopyTo(new Span<byte>(_rows + offset, source.Length));
    }

    public void Read(int row, float* destination)
    {
        var source = new ReadOnlySpan<byte>(_rows + ((long)row * Width * Format.Bytes()), Width * Format.Bytes());
        for (int index = 0; index < Width; index++)
        {
            destination[index] = PackedMatrix.ReadWeight(source, index, Format);
        }
    }
}
