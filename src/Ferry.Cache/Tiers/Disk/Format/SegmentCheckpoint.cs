using System.Buffers.Binary;
using System.IO.Hashing;

namespace Ferry.Cache.Tiers.Disk.Format;

/// <summary>Says that every slot of the index below a number, and the record that it names, was on the medium when this was written.</summary>
/// <remarks>Two places, written in turn, each in a sector of its own: a torn write leaves the other. Losing both costs time at the next start, nothing else.</remarks>
internal static class SegmentCheckpoint
{
    public const int CheckpointBytes = 16;
    public const int Places = 2;

    /// <summary>Where the places begin: the second and third sector of the first page.</summary>
    public static long PositionOf(int place) => SegmentHeader.HeaderBytes * (1L + place);

    public static void Write(ulong seed, int slotCount, Span<byte> bytes)
    {
        bytes[..CheckpointBytes].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, slotCount);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Checksum(seed, bytes));
    }

    /// <summary>The greatest slot count of the valid places in a segment's first page; 0 when there is none.</summary>
    public static int Read(ulong seed, ReadOnlySpan<byte> page)
    {
        var slotCount = 0;
        for (var place = 0; place < Places; place++)
        {
            var bytes = page.Slice((int)PositionOf(place), CheckpointBytes);
            if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) == Checksum(seed, bytes))
            {
                slotCount = Math.Max(slotCount, BinaryPrimitives.ReadInt32LittleEndian(bytes));
            }
        }
        return slotCount;
    }

    private static ulong Checksum(ulong seed, ReadOnlySpan<byte> bytes) => XxHash3.HashToUInt64(bytes[..8], unchecked((long)seed));
}
