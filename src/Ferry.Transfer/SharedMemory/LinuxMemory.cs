using System.Runtime.InteropServices;
using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.SharedMemory;

/// <summary>The system calls of shared memory. All return -1 (or <see cref="MapFailed"/>) and set the last error.</summary>
internal static unsafe partial class LinuxMemory
{
    public const int ProtectRead = 1;
    public const int ProtectWrite = 2;
    public const int MapShared = 1;
    public const nint MapFailed = -1;
    public const int OpenReadOnly = 0;
    public const int OpenNonBlocking = 0x800; // O_NONBLOCK: a descriptor that turns out to be a pipe must not stop this process
    public const int CloseOnExec = 0x80000; // O_CLOEXEC
    public const uint MemoryFileCloseOnExec = 1; // MFD_CLOEXEC
    public const uint MemoryFileAllowSealing = 2; // MFD_ALLOW_SEALING
    public const int AddSeals = 1033; // F_ADD_SEALS
    public const int GetSeals = 1034; // F_GET_SEALS
    public const int SealSeal = 1;
    public const int SealShrink = 2;
    public const int AdviseHugePages = 14; // MADV_HUGEPAGE
    public const int SeekEnd = 2;

    public const int NotPermitted = 1; // EPERM
    public const int NoSuchProcess = 3; // ESRCH
    public const int AccessDenied = 13; // EACCES
    public const int BadAddress = 14; // EFAULT
    public const int NotImplemented = 38; // ENOSYS

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int SetLength(int descriptor, long bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint bytes, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint bytes);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(nint address, nuint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int descriptor, long offset, int from);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    /// <summary>process_vm_readv: copies out of another process's memory, once.</summary>
    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    public static partial nint ReadProcess(int processId, IoRange* local, nuint localCount, IoRange* remote, nuint remoteCount, nuint flags);

    public static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
}
