using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>A directory of the operating system, held by a lock that the kernel lets go when the process dies, however it dies.</summary>
internal sealed class OsDiskFiles(string path, bool tryDirectIo) : IDiskFiles
{
    public const string LockName = "ferry-disk.lock";
    private const string ProbeName = "ferry-disk.probe";

    private SafeFileHandle? _lock;

    public string Path => path;

    public DirectIo DirectIo { get; private set; } = new("not probed");

    public void Claim()
    {
        try
        {
            Directory.CreateDirectory(path);
            _lock = OpenLock();
            if (OperatingSystem.IsLinux() && !LinuxFile.TryLock(_lock, In(LockName)))
            {
                throw InUse(ReadOwner(_lock));
            }
            WriteOwner(_lock);
        }
        catch (IOException error) when (!OperatingSystem.IsLinux() && _lock is null && File.Exists(In(LockName)))
        {
            throw InUse(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DiskTierException(
                $"The disk tier's directory {path} cannot be used: {error.Message} Give cache.disk.path a directory that this user may write, on a disk that is mounted, or leave it out to run without a disk tier.", error);
        }
        DirectIo = ProbeDirectIo();
    }

    public IReadOnlyList<string> List() =>
        [.. new DirectoryInfo(path).EnumerateFileSystemInfos().Select(entry => entry.Name).Where(name => name is not LockName)];

    public IDiskFile Create(string name) => Open(name, FileMode.CreateNew, writable: true);

    public IDiskFile Open(string name)
    {
        try
        {
            return Open(name, FileMode.Open, writable: true);
        }
        catch (Exception error) when (DiskFault.Of(error) == DiskFault.ReadOnly)
        {
            return Open(name, FileMode.Open, writable: false); // What may only be read is still worth reading.
        }
    }

    public byte[] ReadAll(string name, int byteCountMax)
    {
        using var file = File.OpenHandle(In(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[Math.Min(byteCountMax, RandomAccess.GetLength(file))];
        return bytes[..RandomAccess.Read(file, bytes, 0)];
    }

    public void Rename(string from, string to) => File.Move(In(from), In(to));

    public void Delete(string name) => File.Delete(In(name));

    public void SyncDirectory()
    {
        if (OperatingSystem.IsLinux())
        {
            LinuxFile.SyncDirectory(path);
        }
    }

    public void Dispose() => _lock?.Dispose();

    private string In(string name) => System.IO.Path.Combine(path, name);

    private OsDiskFile Open(string name, FileMode mode, bool writable)
    {
        var cached = File.OpenHandle(In(name), mode, writable ? FileAccess.ReadWrite : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            var direct = DirectIo.IsUsed && OperatingSystem.IsLinux() ? LinuxFile.TryOpenDirect(In(name), writable) : null;
            return new OsDiskFile(In(name), cached, direct);
        }
        catch
        {
            cached.Dispose();
            throw;
        }
    }

    private SafeFileHandle OpenLock() => OperatingSystem.IsLinux()
        ? LinuxFile.OpenOrCreate(In(LockName)) // Locked by name afterwards, so that the loser can read the owner's number.
        : File.OpenHandle(In(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private static void WriteOwner(SafeFileHandle file)
    {
        try
        {
            var owner = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, owner, 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Full or read-only: the lock holds without the number.
        }
    }

    private static string ReadOwner(SafeFileHandle file)
    {
        Span<byte> owner = stackalloc byte[16];
        return Encoding.ASCII.GetString(owner[..RandomAccess.Read(file, owner, 0)]).Trim();
    }

    private DiskTierException InUse(string owner) => new(
        $"The disk tier's directory {path} is in use by another process ({owner}). One process owns a directory: stop that one, or give this one another cache.disk.path.");

    private DirectIo ProbeDirectIo()
    {
        if (!tryDirectIo)
        {
            return new DirectIo("switched off");
        }
        if (!OperatingSystem.IsLinux())
        {
            return new DirectIo("this system has none");
        }
        try
        {
            // Newer kernels accept the flag on tmpfs, where it means nothing.
            if (new DriveInfo(path).DriveFormat is "tmpfs" or "ramfs")
            {
                return new DirectIo("this file system is memory");
            }
            File.WriteAllBytes(In(ProbeName), []);
            try
            {
                using var direct = LinuxFile.TryOpenDirect(In(ProbeName), writable: true);
                return direct is null ? new DirectIo("the file system refuses it") : TryWritePage(direct);
            }
            finally
            {
                File.Delete(In(ProbeName));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new DirectIo($"the probe failed: {error.Message}");
        }
    }

    private static DirectIo TryWritePage(SafeFileHandle direct)
    {
        var buffer = AlignedBuffers.Rent();
        RandomAccess.Write(direct, buffer.Span[..DiskPages.PageBytes], 0);
        AlignedBuffers.Return(buffer);
        return DirectIo.Used;
    }
}
