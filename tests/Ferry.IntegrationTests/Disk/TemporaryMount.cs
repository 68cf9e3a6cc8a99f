using System.Diagnostics;

namespace Ferry.IntegrationTests.Disk;

/// <summary>A small file system in memory on a directory of its own, where mounting is allowed.</summary>
internal sealed class TemporaryMount : IDisposable
{
    private TemporaryMount(string path) => Path = path;

    public string Path { get; }

    /// <summary>Null when this user may not mount.</summary>
    public static TemporaryMount? TryMake(int mebibytes)
    {
        var path = Directory.CreateTempSubdirectory("ferry-disk-mount-").FullName;
        if (Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", path))
        {
            return new TemporaryMount(path);
        }
        Directory.Delete(path);
        return null;
    }

    public void Remount(bool writable)
    {
        if (!Run("mount", "-o", writable ? "remount,rw" : "remount,ro", Path))
        {
            throw new InvalidOperationException($"Cannot remount {Path}.");
        }
    }

    public void Dispose()
    {
        if (Run("umount", Path) && !Run("findmnt", Path))
        {
            Directory.Delete(Path); // Empty, or it throws: never more than the mount point.
        }
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
