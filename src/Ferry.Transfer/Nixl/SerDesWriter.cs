using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Ferry.Transfer.Nixl;

/// <summary>NIXL's serializer (serdes.cpp): a magic word, then fields of tag, length, bytes and a bar.</summary>
internal sealed class SerDesWriter
{
    /// <summary>Begins every blob.</summary>
    public static ReadOnlySpan<byte> Magic => "nixlSerDes|"u8;

    private readonly ArrayBufferWriter<byte> _buffer = new(512);

    public SerDesWriter() => _buffer.Write(Magic);

    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    public void Bytes(ReadOnlySpan<byte> tag, ReadOnlySpan<byte> value)
    {
        _buffer.Write(tag);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.GetSpan(sizeof(ulong)), (ulong)value.Length);
        _buffer.Advance(sizeof(ulong));
        _buffer.Write(value);
        _buffer.Write("|"u8);
    }

    public void Text(ReadOnlySpan<byte> tag, string value) => Bytes(tag, Encoding.UTF8.GetBytes(value));

    public void UInt64(ReadOnlySpan<byte> tag, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        Bytes(tag, bytes);
    }

    public void Int32(ReadOnlySpan<byte> tag, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Bytes(tag, bytes);
    }
}
