namespace Ferry.Cli.Commands;

/// <summary>Settings of the runtime that hold for a whole process, for one that only passes bytes on. What the environment sets wins.</summary>
/// <remarks>
/// A request is three arrivals of bytes, each of which wakes a thread. With the defaults it wakes two, and each then looks for more work for a
/// while: with one client that is most of what a request costs (docs/measurements/router.md).
/// </remarks>
internal static class RouterProcess
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Before the first socket and the first work item: both are read once.</summary>
    public static void Tune()
    {
        // Bytes are dealt with where they are reported: nothing on a request's way blocks, and what computes for long leaves (GenerationRoute).
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }
        // A worker without work sleeps at once.
        AppContext.SetData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit", 0);
    }
}
