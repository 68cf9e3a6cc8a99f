using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>The calls of Linux that .NET does not offer: direct I/O, holes, exact use, locks, and a sync whose every error counts.</summary>
/// <remarks>Numbers from Linux's uapi headers (asm-generic/fcntl.h, falloc.h, stat.h), the same on every 64-bit architecture but for O_DIRECT and O_DIRECTORY on Arm.</remarks>
internal static partial class LinuxFile
{
    private const int ReadOnlyFlag = 0;
    private const int ReadWriteFlag = 2;
    private const int CreateFlag = 0x40;
    private const int UserWritesOthersRead = 0x1A4; // 0644
    private const int CloseOnExec = 0x80000;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int KeepSize = 1;
    private const int PunchHole = 2;
    private const int EmptyPath = 0x1000;
    private const uint StatBlocks = 0x400;
    private const int StatxBytes = 256;
    private const int StatxBlocksOffset = 48;
    private const int NotSupported = 95; // EOPNOTSUPP
    private const int InvalidArgument = 22; // EINVAL
    private const int NoSystemCall = 38; // ENOSYS
    private const int ReadOnlyFileSystem = 30; // EROFS
    private const int AccessDenied = 13; // EACCES
    private const int WouldBlock = 11; // EWOULDBLOCK

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    private static int Direct => IsArm ? 0x10000 : 0x4000;

    private static int Directory => IsArm ? 0x4000 : 0x10000;

    /// <summary>Null when the file system refuses direct I/O.</summary>
    public static SafeFileHandle? TryOpenDirect(string path, bool writable)
    {
        var handle = Open(path, (writable ? ReadWriteFlag : ReadOnlyFlag) | Direct | CloseOnExec, 0);
        if (!handle.IsInvalid)
        {
            return handle;
        }
        var error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return error == InvalidArgument ? null : throw Failure(error, $"open {path} for direct I/O");
    }

    /// <summary>For reading and writing, made if missing; for reading alone where writing is not allowed. Takes no lock by itself, as .NET's files do.</summary>
    public static SafeFileHandle OpenOrCreate(string path)
    {
        var handle = Open(path, ReadWriteFlag | CreateFlag | CloseOnExec, UserWritesOthersRead);
        if (handle.IsInvalid && Marshal.GetLastPInvokeError() is ReadOnlyFileSystem or AccessDenied)
        {
            handle.Dispose();
            handle = Open(path, ReadOnlyFlag | CloseOnExec, 0);
        }
        return handle.IsInvalid ? throw Failure(Marshal.GetLastPInvokeError(), $"open {path}") : handle;
    }

    public static void SyncDirectory(string path)
    {
        using var handle = Open(path, ReadOnlyFlag | Directory | CloseOnExec, 0);
        if (handle.IsInvalid)
        {
            throw Failure(Marshal.GetLastPInvokeError(), $"open {path}");
        }
        Sync(handle, path);
    }

    /// <summary>fsync. .NET's own takes EROFS for success, which is how ext4 answers after it has given up a broken disk.</summary>
    public static void Sync(SafeFileHandle handle, string path)
    {
        if (FSync(handle) != 0)
        {
            throw Failure(Marshal.GetLastPInvokeError(), $"sync {path}");
        }
    }

    /// <returns>False when the file system cannot allocate ahead.</returns>
    public static bool TryAllocate(SafeFileHandle handle, string path, long position, long byteCount) =>
        TryFAllocate(handle, path, 0, position, byteCount, "allocate");

    /// <returns>False when the file system has no holes.</returns>
    public static bool TryPunch(SafeFileHandle handle, string path, long position, long byteCount) =>
        TryFAllocate(handle, path, PunchHole | KeepSize, position, byteCount, "free pages of");

    /// <summary>Null when the system does not say.</summary>
    public static long? TryGetAllocated(SafeFileHandle handle)
    {
        Span<byte> result = stackalloc byte[StatxBytes];
        return Statx(handle, "", EmptyPath, StatBlocks, ref MemoryMarshal.GetReference(result)) == 0
            ? BinaryPrimitives.ReadInt64LittleEndian(result[StatxBlocksOffset..]) * 512 // stx_blocks counts 512 bytes whatever the block size.
            : null;
    }

    /// <returns>False when another open file holds the lock.</returns>
    public static bool TryLock(SafeFileHandle handle, string path)
    {
        if (FLock(handle, LockExclusive | LockNonBlocking) == 0)
        {
            return true;
        }
        var error = Marshal.GetLastPInvokeError();
        return error == WouldBlock ? false : throw Failure(error, $"lock {path}");
    }

    private static bool TryFAllocate(SafeFileHandle handle, string path, int mode, long position, long byteCount, string what)
    {
        if (FAllocate(handle, mode, position, byteCount) == 0)
        {
            return true;
        }
        var error = Marshal.GetLastPInvokeError();
        return error is NotSupported or NoSystemCall ? false : throw Failure(error, $"{what} {path}");
    }

    private static IOException Failure(int error, string what) => new($"Cannot {what}: {Marshal.GetPInvokeErrorMessage(error)}.", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocate(SafeFileHandle handle, int mode, long position, long byteCount);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle directory, string path, int flags, uint mask, ref byte result);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle handle, int operation);
}
