namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Room in a segment for one record, and the slot that will name it.</summary>
internal sealed record DiskPlace(DiskSegment Segment, int Slot, long SlotPosition, long Position, long ExtentBytes)
{
    public uint Page => (uint)(Position / DiskPages.PageBytes);
}
