using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Ferry.Transfer.Wire;

/// <summary>Appends little-endian fields to a payload.</summary>
internal sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>False: too long for one message; it must not be sent.</summary>
    public bool Fits => _buffer.WrittenCount <= FrameHeader.PayloadBytesMax;

    public void Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.GetSpan(2), value);
        _buffer.Advance(2);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    public void UInt128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(_buffer.GetSpan(16), value);
        _buffer.Advance(16);
    }

    public void Bytes(ReadOnlySpan<byte> value) => _buffer.Write(value);

    /// <summary>Two bytes of length, then UTF-8.</summary>
    /// <exception cref="ArgumentException">Longer than 65,535 bytes.</exception>
    public void Text(string value)
    {
        var byteCount = Encoding.UTF8.GetByteCount(value);
        if (byteCount > ushort.MaxValue)
        {
            throw new ArgumentException($"A text on the side channel has at most {ushort.MaxValue} bytes, not {byteCount}.", nameof(value));
        }
        UInt16((ushort)byteCount);
        Encoding.UTF8.GetBytes(value, _buffer.GetSpan(byteCount));
        _buffer.Advance(byteCount);
    }

    /// <summary>Whole milliseconds, rounded down (a lease never looks longer than it is), cut to 49 days.</summary>
    public void Milliseconds(TimeSpan value) => UInt32((uint)Math.Clamp(value.TotalMilliseconds, 0, uint.MaxValue));
}
