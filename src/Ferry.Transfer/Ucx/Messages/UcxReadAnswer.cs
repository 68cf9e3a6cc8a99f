using System.Buffers.Binary;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>Brings some bytes of a range that was asked for. The header of a message whose payload they are; without payload: there is no such memory.</summary>
/// <param name="Offset">Of the payload in the range.</param>
internal readonly record struct UcxReadAnswer(ulong ReadId, int Offset)
{
    /// <summary>Messages with this id are answers.</summary>
    public const uint MessageId = 9;

    public const int HeaderBytes = 16;

    /// <summary>With UCX's own header it fits the 64 KiB into which tcp receives, so that the payload is handed over where it lies.</summary>
    public const int PayloadBytes = 60 << 10;

    private const byte Version = 1;

    /// <summary>1 version, 3 reserved, 4 offset, 8 read id; little-endian.</summary>
    public void Write(Span<byte> header)
    {
        header[..HeaderBytes].Clear();
        header[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], ReadId);
    }

    /// <summary>False for bytes that are not exactly one answer's header.</summary>
    public static bool TryRead(ReadOnlySpan<byte> header, out UcxReadAnswer answer)
    {
        answer = default;
        if (header.Length != HeaderBytes || header is not [Version, 0, 0, 0, ..])
        {
            return false;
        }
        answer = new UcxReadAnswer(BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), BinaryPrimitives.ReadInt32LittleEndian(header[4..]));
        return answer.Offset >= 0;
    }
}
