using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Lets UCX's shared memory into endpoints that have notice of dead peers, for the tests that name it: UCX reads this when it is loaded.</summary>
internal static partial class UcxEnvironment
{
#pragma warning disable CA2255 // The library is loaded once for the process, by whichever test comes first.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Set()
    {
        _ = SetEnvironment("UCX_POSIX_ERROR_HANDLING", "y", 0);
        _ = SetEnvironment("UCX_SYSV_ERROR_HANDLING", "y", 0);
        _ = SetEnvironment("UCX_WARN_UNUSED_ENV_VARS", "n", 0); // unused where a test names tcp alone
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
