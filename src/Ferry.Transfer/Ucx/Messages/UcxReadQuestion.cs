using System.Buffers.Binary;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>Asks the owner of memory for a range of it. The header of a message without payload.</summary>
/// <param name="ReadId">The asker's own; the answers carry it.</param>
/// <param name="Address">First byte, as in a remote key's region.</param>
/// <param name="Bytes">1 to <see cref="BytesMax"/>.</param>
/// <param name="Asker">The probe token of the asker's <see cref="UcxAddress"/>: says by which endpoint to answer.</param>
internal readonly record struct UcxReadQuestion(ulong ReadId, ulong Address, int Bytes, UInt128 Asker)
{
    /// <summary>Messages with this id are questions.</summary>
    public const uint MessageId = 8;

    public const int HeaderBytes = 40;

    /// <summary>So that a peer cannot have a whole arena sent by one message.</summary>
    public const int BytesMax = 1 << 28;

    private const byte Version = 1;

    /// <summary>1 version, 3 reserved, 4 bytes, 8 read id, 8 address, 16 asker; little-endian.</summary>
    public void Write(Span<byte> header)
    {
        header[..HeaderBytes].Clear();
        header[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], ReadId);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], Address);
        BinaryPrimitives.WriteUInt128LittleEndian(header[24..], Asker);
    }

    /// <summary>False for bytes that are not exactly one question.</summary>
    public static bool TryRead(ReadOnlySpan<byte> header, out UcxReadQuestion question)
    {
        question = default;
        if (header.Length != HeaderBytes || header is not [Version, 0, 0, 0, ..])
        {
            return false;
        }
        question = new UcxReadQuestion(
            BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[4..]), BinaryPrimitives.ReadUInt128LittleEndian(header[24..]));
        return question.Bytes is >= 1 and <= BytesMax && question.Address <= ulong.MaxValue - (ulong)question.Bytes;
    }
}
