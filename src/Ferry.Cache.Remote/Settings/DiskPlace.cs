using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Settings;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Settings;

/// <summary>The disk tier that a draft names, checked.</summary>
public static class DiskPlace
{
    /// <summary>Null: no disk tier, or an error that is in the findings.</summary>
    /// <param name="sizeName">How the size is given here, for errors.</param>
    /// <param name="ranks">What a size in the draft is multiplied with: 1 where it is the node's.</param>
    public static DiskSettings? Resolve(CacheDraft draft, string sizeName, int ranks, IMachine machine, FindingLog findings)
    {
        var (path, bytes) = (draft.DiskPath, draft.DiskBytes * ranks);
        if (path is null)
        {
            if (bytes > 0)
            {
                findings.Warn(sizeName, ByteSize.Format(bytes.Value), $"no effect without a directory ({LmCacheSettings.Prefix}LOCAL_DISK).");
            }
            return null;
        }
        if (bytes is not > 0)
        {
            findings.Error(sizeName, "", $"the disk tier in {path} has no size, so it would keep nothing (LMCache would say nothing of it). Give one, or remove the directory.");
            return null;
        }
        if (bytes < DiskTierOptions.CapacityBytesMin)
        {
            findings.Error(sizeName, ByteSize.Format(bytes.Value), $"the disk tier has {ByteSize.Format(bytes.Value)}; it must have at least {ByteSize.Format(DiskTierOptions.CapacityBytesMin)}.");
            return null;
        }
        if (machine.FreeDiskBytes(path) is { } free && free < bytes)
        {
            findings.Warn(sizeName, ByteSize.Format(bytes.Value), $"the file system of {path} has {ByteSize.Format(free)} free now. When it is full the tier stops writing and says so.");
        }
        return new DiskSettings(path, bytes.Value, draft.DiskSync);
    }
}
