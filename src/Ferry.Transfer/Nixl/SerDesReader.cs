using System.Buffers.Binary;
using System.Text;

namespace Ferry.Transfer.Nixl;

/// <summary>Takes the fields of NIXL's serializer off bytes that are not trusted. A tag has no length of its own: the reader must know what comes.</summary>
internal ref struct SerDesReader
{
    // Throws on bytes that are not UTF-8, so that a name re-encodes to its own bytes.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly int _length;
    private ReadOnlySpan<byte> _rest;

    /// <exception cref="NixlFormatException">The magic word is missing.</exception>
    public SerDesReader(ReadOnlySpan<byte> blob)
    {
        if (!blob.StartsWith(SerDesWriter.Magic))
        {
            throw new NixlFormatException($"does not begin with '{Encoding.ASCII.GetString(SerDesWriter.Magic)}'");
        }
        _length = blob.Length;
        _rest = blob[SerDesWriter.Magic.Length..];
    }

    public readonly int BytesLeft => _rest.Length;

    /// <summary>Whether the field that comes has this tag.</summary>
    public readonly bool IsAt(ReadOnlySpan<byte> tag) => _rest.StartsWith(tag);

    /// <exception cref="NixlFormatException">Another field comes, or it is longer than allowed or than what is there.</exception>
    public ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> tag, int bytesMax)
    {
        if (!_rest.StartsWith(tag))
        {
            throw Wrong($"'{Encoding.ASCII.GetString(tag)}' was due");
        }
        var rest = _rest[tag.Length..];
        if (rest.Length < sizeof(ulong))
        {
            throw Wrong("ends inside a length");
        }
        var length = BinaryPrimitives.ReadUInt64LittleEndian(rest);
        if (length > (ulong)bytesMax)
        {
            throw Wrong($"a field '{Encoding.ASCII.GetString(tag)}' of {length} bytes is over the limit of {bytesMax}");
        }
        rest = rest[sizeof(ulong)..];
        if (rest.Length <= (int)length || rest[(int)length] != (byte)'|')
        {
            throw Wrong(rest.Length <= (int)length ? "ends inside a field" : $"a field of {length} bytes does not end with a bar");
        }
        _rest = rest[((int)length + 1)..];
        return rest[..(int)length];
    }

    public string Text(ReadOnlySpan<byte> tag, int bytesMax)
    {
        var bytes = Bytes(tag, bytesMax);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Wrong("a name is not UTF-8");
        }
    }

    public ulong UInt64(ReadOnlySpan<byte> tag) => BinaryPrimitives.ReadUInt64LittleEndian(Exactly(tag, sizeof(ulong)));

    public int Int32(ReadOnlySpan<byte> tag) => BinaryPrimitives.ReadInt32LittleEndian(Exactly(tag, sizeof(int)));

    /// <summary>A count of items of at least <paramref name="itemBytesMin"/> bytes each: never more than the rest can hold, so it may be allocated.</summary>
    public int Count(ReadOnlySpan<byte> tag, int itemBytesMin, int countMax)
    {
        var count = UInt64(tag);
        return count > (ulong)countMax || count > (ulong)(_rest.Length / itemBytesMin)
            ? throw Wrong($"{count} items are over the limit of {countMax}, or more than {_rest.Length} bytes hold")
            : (int)count;
    }

    /// <exception cref="NixlFormatException">Something is left.</exception>
    public readonly void End()
    {
        if (!_rest.IsEmpty)
        {
            throw Wrong($"{_rest.Length} bytes are left over");
        }
    }

    public readonly NixlFormatException Wrong(string what) => new($"{what}, at byte {_length - _rest.Length} of {_length}");

    private ReadOnlySpan<byte> Exactly(ReadOnlySpan<byte> tag, int bytes)
    {
        var value = Bytes(tag, bytes);
        return value.Length == bytes ? value : throw Wrong($"a number of {value.Length} bytes; {bytes} were due");
    }
}
