using System.Buffers.Binary;
using System.Text;

namespace Ferry.Transfer.Wire;

/// <summary>Takes little-endian fields off a payload of a peer that is not trusted.</summary>
/// <remarks>Reading past the end gives zeros and sets <see cref="Failed"/>; a decoder checks it once, before it believes anything.</remarks>
internal ref struct WireReader(ReadOnlySpan<byte> payload)
{
    // Throws on bytes that are not UTF-8, so that two texts that differ never decode to the same one.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private ReadOnlySpan<byte> _rest = payload;

    public bool Failed { get; private set; }

    public readonly int BytesLeft => _rest.Length;

    /// <summary>True if everything was there and nothing is left.</summary>
    public readonly bool IsComplete => !Failed && _rest.IsEmpty;

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    public ushort UInt16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    public uint UInt32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    public ulong UInt64() => Take(8) is { Length: 8 } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    public UInt128 UInt128() => Take(16) is { Length: 16 } bytes ? BinaryPrimitives.ReadUInt128LittleEndian(bytes) : 0;

    public TimeSpan Milliseconds() => TimeSpan.FromMilliseconds(UInt32());

    /// <summary>A length or offset: 64 bits of which the top one must be clear.</summary>
    public long Int63()
    {
        var value = UInt64();
        Failed |= value > long.MaxValue;
        return Failed ? 0 : (long)value;
    }

    /// <summary>A count of items of at least <paramref name="itemBytesMin"/> each: never more than the payload can hold, so it may be allocated.</summary>
    public int Count(uint count, int itemBytesMin, int countMax)
    {
        if (Failed || count > countMax || count > _rest.Length / itemBytesMin)
        {
            Failed = true;
            return 0;
        }
        return (int)count;
    }

    public ReadOnlySpan<byte> Bytes(int byteCount) => Take(byteCount);

    public string Text(int bytesMax)
    {
        var byteCount = UInt16();
        if (byteCount > bytesMax)
        {
            Failed = true;
            return string.Empty;
        }
        var bytes = Take(byteCount);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            Failed = true;
            return string.Empty;
        }
    }

    private ReadOnlySpan<byte> Take(int byteCount)
    {
        if (Failed || byteCount > _rest.Length)
        {
            Failed = true;
            return default;
        }
        var taken = _rest[..byteCount];
        _rest = _rest[byteCount..];
        return taken;
    }
}
