using System.Buffers.Binary;

namespace Ferry.Cache.Remote.Lm;

/// <summary>What a client says of a value's bytes, and gets back with them: format, dtype and shape in LMCache's numbers. Nothing here interprets it.</summary>
/// <param name="Format">0 undefined, 1 KV_2LTD, 2 KV_T2D, 3 binary, 4 binary buffer, 5 KV_MLA_FMT.</param>
/// <param name="DType">1 and 2 fp16, 3 bf16, 4 fp32, 5 fp64, 6 uint8, 7 fp8 e4m3, 8 fp8 e5m2.</param>
internal readonly record struct LmShape(int Format, int DType, int Axis0, int Axis1, int Axis2, int Axis3)
{
    /// <summary>LMCache's metadata record: seven int32, length first.</summary>
    public const int NoteBytes = 28;

    /// <summary>Format, dtype and four axes.</summary>
    public const int FieldsBytes = 24;

    /// <summary>What LMCache's own server puts into a reply that has no value.</summary>
    public static LmShape OfNothing => new(1, 2, 0, 0, 0, 0);

    /// <summary>As the note beside a value: what a client of <c>redis://</c> stores under <c>…metadata</c>.</summary>
    public void WriteNote(int valueBytes, Span<byte> note)
    {
        BinaryPrimitives.WriteInt32LittleEndian(note, valueBytes);
        WriteFields(note[4..]);
    }

    public void WriteFields(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Format);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], DType);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Axis0);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Axis1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], Axis2);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], Axis3);
    }

    public static LmShape ReadFields(int format, int dType, ReadOnlySpan<byte> axes) => new(
        format, dType, BinaryPrimitives.ReadInt32LittleEndian(axes), BinaryPrimitives.ReadInt32LittleEndian(axes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(axes[8..]), BinaryPrimitives.ReadInt32LittleEndian(axes[12..]));

    /// <summary>Null when the note is not LMCache's, or is that of another length: then nobody can say what the bytes are.</summary>
    public static LmShape? TryReadNote(ReadOnlySpan<byte> note, int valueBytes) =>
        note.Length == NoteBytes && BinaryPrimitives.ReadInt32LittleEndian(note) == valueBytes
            ? ReadFields(BinaryPrimitives.ReadInt32LittleEndian(note[4..]), BinaryPrimitives.ReadInt32LittleEndian(note[8..]), note[12..])
            : null;
}
