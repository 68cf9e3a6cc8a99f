using System.Buffers.Binary;

namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>Frames of NIXL's side channel (nixl_listener.cpp): eight bytes of length, a word of 13 bytes, a body.</summary>
internal static class NixlCommCodec
{
    public const int LengthBytes = sizeof(ulong);

    /// <summary><c>NIXLCOMM:</c> and four letters.</summary>
    public const int WordBytes = 13;

    public static byte[] Encode(NixlCommCommand command, ReadOnlySpan<byte> body)
    {
        var frame = new byte[LengthBytes + WordBytes + body.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, (ulong)(WordBytes + body.Length));
        WordOf(command).CopyTo(frame.AsSpan(LengthBytes));
        body.CopyTo(frame.AsSpan(LengthBytes + WordBytes));
        return frame;
    }

    /// <summary>The length of the frame that follows these eight bytes, or the reason to end the connection.</summary>
    public static string? TryReadLength(ReadOnlySpan<byte> bytes, NixlLimits limits, out int frameBytes)
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var max = (ulong)limits.BlobBytesMax + WordBytes;
        frameBytes = length <= max ? (int)length : 0;
        return length < WordBytes ? $"A frame of {length} bytes is shorter than its word."
            : length > max ? $"A frame of {length} bytes is over the limit of {max} (BlobBytesMax)."
            : null;
    }

    /// <summary>Reads a frame behind its length, or says what is wrong with it.</summary>
    public static string? TryRead(ReadOnlyMemory<byte> frame, NixlLimits limits, out NixlCommMessage message)
    {
        message = default;
        foreach (var command in (ReadOnlySpan<NixlCommCommand>)[NixlCommCommand.Send, NixlCommCommand.Load, NixlCommCommand.Invalidate])
        {
            if (!frame.Span.StartsWith(WordOf(command)))
            {
                continue;
            }
            message = new NixlCommMessage(command, frame[WordBytes..]);
            return command == NixlCommCommand.Send && !message.Body.IsEmpty ? "A NIXLCOMM:SEND has no body."
                : command == NixlCommCommand.Invalidate && (message.Body.IsEmpty || message.Body.Length > limits.NameBytesMax) ? "A NIXLCOMM:INVL needs the name of an agent."
                : null;
        }
        return "A frame does not begin with NIXLCOMM:SEND, LOAD or INVL.";
    }

    private static ReadOnlySpan<byte> WordOf(NixlCommCommand command) => command switch
    {
        NixlCommCommand.Send => "NIXLCOMM:SEND"u8,
        NixlCommCommand.Load => "NIXLCOMM:LOAD"u8,
        _ => "NIXLCOMM:INVL"u8,
    };
}
