using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers.Disk.Format;

/// <summary>A layout in 32 bytes, heads included. The length of an opaque payload is not in it: the record's length says it.</summary>
internal static class LayoutCode
{
    public const int CodeBytes = 32;

    public static void Write(KvLayout layout, Span<byte> bytes)
    {
        bytes[..CodeBytes].Clear();
        // Every limit of KvLayout fits its field.
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)layout.Layers);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], (ushort)layout.ModelHeads);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)layout.FirstHead);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)layout.Heads);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], (ushort)layout.HeadDim);
        (bytes[10], bytes[11], bytes[12], bytes[13]) =
            ((byte)layout.DType, (byte)layout.Order, (byte)layout.Packing, layout.BlockMajor ? (byte)1 : (byte)0);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], layout.Tokens);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], layout.BlockTokens);
        BinaryPrimitives.WriteSingleLittleEndian(bytes[24..], layout.Scale);
    }

    public static (int FirstHead, int Heads, int ModelHeads) HeadsOf(ReadOnlySpan<byte> bytes) => (
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]));

    /// <summary>The code with its heads widened to the whole model, as two numbers: equal for shards that belong together.</summary>
    public static (UInt128 Low, UInt128 High) FamilyOf(ReadOnlySpan<byte> bytes)
    {
        Span<byte> family = stackalloc byte[CodeBytes];
        bytes[..CodeBytes].CopyTo(family);
        family[4..6].Clear();
        family.Slice(2, 2).CopyTo(family[6..]);
        return (MemoryMarshal.Read<UInt128>(family), MemoryMarshal.Read<UInt128>(family[16..]));
    }

    /// <summary>The layout that a code stands for, not yet checked.</summary>
    public static KvLayout Read(ReadOnlySpan<byte> bytes, long recordBytes)
    {
        var order = (KvOrder)bytes[11];
        return new KvLayout
        {
            Layers = BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            ModelHeads = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]),
            FirstHead = BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
            Heads = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
            HeadDim = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]),
            DType = (KvDType)bytes[10],
            Order = order,
            Packing = (KvPacking)bytes[12],
            BlockMajor = bytes[13] != 0,
            Tokens = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]),
            BlockTokens = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]),
            Scale = BinaryPrimitives.ReadSingleLittleEndian(bytes[24..]),
            OpaqueBytes = order == KvOrder.Opaque ? recordBytes - KvRecord.HeaderBytes : 0,
        };
    }
}
