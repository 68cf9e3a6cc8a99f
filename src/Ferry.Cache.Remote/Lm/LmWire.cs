using System.Buffers.Binary;

namespace Ferry.Cache.Remote.Lm;

/// <summary>The headers of <c>lm://</c>: little-endian int32 and a key padded with blanks. docs/wire/lm.md has golden bytes.</summary>
internal static class LmWire
{
    public const int KeyBytesMax = 150;

    /// <summary>So many bytes tell the two forms apart.</summary>
    public const int FormBytes = 36;

    public const int SuccessCode = 200;
    public const int FailureCode = 400;

    private const int NumberBytes = 4;

    public static int RequestBytes(LmForm form) => form == LmForm.Old ? 182 : 186;

    public static int ReplyBytes(LmForm form) => form == LmForm.Old ? 32 : 36;

    /// <summary>Which form a connection's first request has.</summary>
    /// <param name="header">At least <see cref="FormBytes"/> bytes.</param>
    /// <returns>Null: neither.</returns>
    /// <remarks>
    /// Bytes 32 to 35 are the last axis of the shape in the one form and the first four characters of the key in the other. An axis below 2^24 has a
    /// zero in byte 35; a key is text without control characters, and blanks where it is shorter. So no valid request of one form is one of the other.
    /// </remarks>
    public static LmForm? FindForm(ReadOnlySpan<byte> header)
    {
        var place = header.Slice(32, NumberBytes);
        if (place[3] == 0)
        {
            return LmForm.WithLocation;
        }
        return place.ContainsAnyInRange((byte)0, (byte)0x1F) ? null : LmForm.Old;
    }

    /// <param name="header">Exactly <see cref="RequestBytes"/> bytes.</param>
    /// <param name="problem">What is wrong, or null.</param>
    public static LmRequest Read(ReadOnlySpan<byte> header, LmForm form, int valueBytesMax, out string? problem)
    {
        var command = Number(header, 0);
        var valueBytes = Number(header, 1);
        var hasLocation = form == LmForm.WithLocation;
        var axes = header[((hasLocation ? 5 : 4) * NumberBytes)..];
        var shape = LmShape.ReadFields(Number(header, 2), Number(header, 3), axes);
        var keyOffset = header.Length - KeyBytesMax;
        var key = header[keyOffset..].TrimEnd((byte)' ');
        problem = null;
        if (command is < (int)LmCommand.Put or > (int)LmCommand.Health)
        {
            problem = $"command {command} is none of 1 (PUT) to 5 (HEALTH).";
        }
        else if (valueBytes < 0 || valueBytes > valueBytesMax)
        {
            problem = $"a value of {valueBytes} bytes; it must lie in 0..{valueBytesMax} (valueBytesMax).";
        }
        else if (key.Contains((byte)0))
        {
            problem = "a zero byte in the key: the other form of the header, or no lm:// at all.";
        }
        return new LmRequest((LmCommand)command, valueBytes, shape, hasLocation ? Number(header, 4) : 0, keyOffset, key.Length);
    }

    /// <summary>A request's header, as LMCache's client writes it.</summary>
    public static byte[] WriteRequest(LmForm form, LmCommand command, int valueBytes, LmShape shape, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(key.Length, KeyBytesMax);
        var header = new byte[RequestBytes(form)];
        BinaryPrimitives.WriteInt32LittleEndian(header, (int)command);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), valueBytes);
        Span<byte> fields = stackalloc byte[LmShape.FieldsBytes];
        shape.WriteFields(fields);
        fields[..8].CopyTo(header.AsSpan(8));
        fields[8..].CopyTo(header.AsSpan(form == LmForm.Old ? 16 : 20));
        var place = header.AsSpan(header.Length - KeyBytesMax);
        place.Fill((byte)' ');
        key.CopyTo(place);
        return header;
    }

    /// <summary>Writes <see cref="ReplyBytes"/> bytes: the location, 0, stands last.</summary>
    public static void WriteReply(LmForm form, int code, int valueBytes, LmShape shape, Span<byte> reply)
    {
        BinaryPrimitives.WriteInt32LittleEndian(reply, code);
        BinaryPrimitives.WriteInt32LittleEndian(reply[4..], valueBytes);
        shape.WriteFields(reply[8..]);
        reply[32..ReplyBytes(form)].Clear();
    }

    private static int Number(ReadOnlySpan<byte> header, int index) => BinaryPrimitives.ReadInt32LittleEndian(header[(index * NumberBytes)..]);
}
