namespace Ferry.Cache.Tiers.Disk;

/// <summary>What an error of the file system means for the tier.</summary>
internal sealed record DiskFault(TierPutOutcome Outcome, string WayOut)
{
    public static readonly DiskFault Full = new(
        TierPutOutcome.Full, "The file system is full: free space on it, or lower cache.disk.capacityBytes below what it has.");

    public static readonly DiskFault ReadOnly = new(
        TierPutOutcome.ReadOnly, "The directory may not be written: look for a remount in the kernel's log (dmesg), remount it read-write, or correct its owner.");

    public static readonly DiskFault Failing = new(
        TierPutOutcome.Unavailable, "The device fails: look at dmesg and at its health (smartctl), and replace it; the records on it are only a cache.");

    private const int NotPermitted = 1; // EPERM
    private const int AccessDenied = 13; // EACCES
    private const int NoSpace = 28; // ENOSPC
    private const int ReadOnlyFileSystem = 30; // EROFS
    private const int Quota = 122; // EDQUOT
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <remarks>.NET keeps the system's error number as the exception's HResult, except for those that it has a type for.</remarks>
    public static DiskFault Of(Exception error) => error switch
    {
        UnauthorizedAccessException => ReadOnly,
        _ when error.HResult is NoSpace or Quota or WindowsDiskFull => Full,
        _ when error.HResult is ReadOnlyFileSystem or NotPermitted or AccessDenied => ReadOnly,
        _ => Failing,
    };
}
