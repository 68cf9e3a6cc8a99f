namespace Ferry.Transfer.Host;

/// <summary>/dev/shm, where UCX's posix transport puts its segments. Ferry's own arenas are memfds and need none of it.</summary>
public sealed record SharedMemorySpace(long TotalBytes, long FreeBytes)
{
    /// <summary>Null where there is none.</summary>
    public static SharedMemorySpace? Read()
    {
        try
        {
            var drive = new DriveInfo("/dev/shm");
            return new SharedMemorySpace(drive.TotalSize, drive.AvailableFreeSpace);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
