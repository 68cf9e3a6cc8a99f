using System.Buffers.Binary;
using System.Diagnostics;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Clients;

/// <summary>What LMCache keeps beside a value: seven little-endian int32, over <c>redis://</c> under a key of their own and over <c>lm://</c> in the header.</summary>
/// <param name="Length">Bytes of the value.</param>
/// <param name="Format">1 KV_2LTD, 2 KV_T2D; others are not layouts of keys and values.</param>
/// <param name="DType">LMCache's number of the element type.</param>
internal readonly record struct ClientNote(int Length, int Format, int DType, int Shape0, int Shape1, int Shape2, int Shape3)
{
    public const int ByteCount = 28;
    public const int Format2Ltd = 1;
    public const int FormatT2d = 2;

    /// <summary>LMCache's number of uint8: an fp8 cache as vLLM keeps it, which does not say what kind of fp8.</summary>
    public const int UInt8 = 6;

    /// <summary>A note with more groups of KV than one is longer by twenty bytes a group; it is kept, but not understood.</summary>
    public static bool IsPlausibleLength(int byteCount) => byteCount >= ByteCount && (byteCount - 8) % 20 == 0;

    /// <summary>Null for bytes that are not a note of one group.</summary>
    public static ClientNote? TryRead(ReadOnlySpan<byte> bytes) => bytes.Length == ByteCount
        ? new ClientNote(Number(bytes, 0), Number(bytes, 1), Number(bytes, 2), Number(bytes, 3), Number(bytes, 4), Number(bytes, 5), Number(bytes, 6))
        : null;

    /// <summary>The note of a value in this layout.</summary>
    /// <param name="asUInt8">Whether the client's key calls its fp8 type uint8.</param>
    /// <returns>Null where LMCache has no number for the type (e4m3fnuz, unless it is called uint8).</returns>
    public static ClientNote? TryDescribe(KvLayout layout, bool asUInt8)
    {
        var dtype = asUInt8 ? UInt8 : layout.DType switch
        {
            KvDType.Float16 => 2,
            KvDType.BFloat16 => 3,
            KvDType.Float32 => 4,
            KvDType.Float8E4M3Fn => 7,
            KvDType.Float8E5M2 => 8,
            _ => 0,
        };
        var (length, width) = (checked((int)layout.PayloadBytes), layout.Heads * layout.HeadDim);
        return dtype == 0 ? null : layout.Order switch
        {
            KvOrder.TwoLtd => new ClientNote(length, Format2Ltd, dtype, 2, layout.Layers, layout.Tokens, width),
            KvOrder.T2d when layout.Layers == 1 => new ClientNote(length, FormatT2d, dtype, layout.Tokens, 2, width, 0),
            _ => throw new UnreachableException($"No client's layout: {layout}"),
        };
    }

    /// <summary>Whether a number of the note may stand for this type.</summary>
    public static bool Names(int number, KvDType dtype) => dtype switch
    {
        KvDType.Float16 => number is 1 or 2, // torch.half and torch.float16: LMCache writes 2.
        KvDType.BFloat16 => number == 3,
        KvDType.Float32 => number == 4,
        KvDType.Float8E4M3Fn => number is 7 or UInt8,
        KvDType.Float8E5M2 => number is 8 or UInt8,
        KvDType.Float8E4M3Fnuz => number == UInt8,
        _ => false,
    };

    public byte[] ToBytes()
    {
        var bytes = new byte[ByteCount];
        Span<int> numbers = [Length, Format, DType, Shape0, Shape1, Shape2, Shape3];
        for (var index = 0; index < numbers.Length; index++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * index), numbers[index]);
        }
        return bytes;
    }

    private static int Number(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * index)..]);
}
