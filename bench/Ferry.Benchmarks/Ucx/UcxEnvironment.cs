using System.Runtime.InteropServices;

namespace Ferry.Benchmarks.Ucx;

/// <summary>UCX's settings, equal on all sides of a measurement. The last two let shared memory into endpoints that have notice of dead peers.</summary>
internal static partial class UcxEnvironment
{
    public static IReadOnlyList<(string Name, string Value)> Values { get; } =
    [
        ("UCX_RNDV_THRESH", "inf"), ("UCX_TCP_TX_SEG_SIZE", "64k"), ("UCX_POSIX_ERROR_HANDLING", "y"), ("UCX_SYSV_ERROR_HANDLING", "y"), ("UCX_WARN_UNUSED_ENV_VARS", "n"),
    ];

    /// <summary>For UCX in this process, before it is loaded: the runtime's own environment is a copy that native code does not see.</summary>
    public static void SetHere()
    {
        foreach (var (name, value) in Values)
        {
            _ = SetEnvironment(name, value, 1);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
