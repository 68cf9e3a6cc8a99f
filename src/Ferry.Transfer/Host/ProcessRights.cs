using System.Globalization;

namespace Ferry.Transfer.Host;

/// <summary>What this process may do to memory: its own, to lock it, and that of others, to read it.</summary>
/// <param name="LockedBytesMax">The limit of locked memory (ulimit -l); null for unlimited.</param>
/// <param name="MayLockAny">CAP_IPC_LOCK: the limit does not count.</param>
/// <param name="PtraceScope">kernel.yama.ptrace_scope, 0 to 3; null where the kernel has no Yama, which is as 0.</param>
/// <param name="MayTraceAny">CAP_SYS_PTRACE.</param>
/// <param name="HasSeccomp">A filter of system calls is on, as in most containers.</param>
public sealed record ProcessRights(long? LockedBytesMax, bool MayLockAny, int? PtraceScope, bool MayTraceAny, bool HasSeccomp)
{
    // linux/capability.h
    private const int CapIpcLock = 14;
    private const int CapSysPtrace = 19;

    /// <summary>Whether cma and process_vm_readv can read another process of the same user.</summary>
    public bool MayReadOthers => MayTraceAny || PtraceScope is null or 0;

    public static ProcessRights Read(HostFiles files)
    {
        var capabilities = ulong.TryParse(files.TryReadField("/proc/self/status", "CapEff"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) ? bits : 0;
        return new ProcessRights(
            LockedBytes(files.TryRead("/proc/self/limits")),
            (capabilities >> CapIpcLock & 1) != 0,
            (int?)files.TryReadNumber("/proc/sys/kernel/yama/ptrace_scope"),
            (capabilities >> CapSysPtrace & 1) != 0,
            files.TryReadField("/proc/self/status", "Seccomp") is "1" or "2");
    }

    // "Max locked memory         8388608              8388608              bytes": the first number is the soft limit.
    private static long? LockedBytes(string? limits)
    {
        var line = limits?.Split('\n').FirstOrDefault(one => one.StartsWith("Max locked memory", StringComparison.Ordinal));
        var words = line?["Max locked memory".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [var soft, ..] && long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
    }
}
