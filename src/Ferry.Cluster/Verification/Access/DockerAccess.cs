using System.Globalization;
using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>A container of a Docker engine.</summary>
/// <param name="engine">Connected at the first use; the probe that comes first finds the engine that does not answer.</param>
internal sealed class DockerAccess(Func<CancellationToken, Task<DockerEngine>> engine, string container, string endpoint) : INodeAccess
{
    /// <summary>Lines of a log that are scanned: a week of a busy engine.</summary>
    private const int LogLinesMax = 1_000_000;

    public string Description => $"container {container} at {endpoint}";

    public async Task<CommandResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken) =>
        await (await engine(cancellationToken)).RunAsync(container, command, cancellationToken);

    public async Task<IReadOnlyList<NodeProcess>> ProcessesAsync(CancellationToken cancellationToken)
    {
        var connected = await engine(cancellationToken);
        var listing = await connected.RunAsync(container, ProcessListing.Command, cancellationToken);
        if (listing.ExitCode != CommandResult.NotFound)
        {
            return ProcessListing.Parse(listing.Output);
        }
        if (connected.IsLocal)
        {
            return ProcessListing.ReadLocal(await connected.ProcessesAsync(container, cancellationToken));   // An image without a shell.
        }
        throw new AccessUnsupportedException($"The image of {Description} has no shell, and its engine is on another machine: the environment of its processes cannot be read. Run ferry verify on that machine.");
    }

    public async Task<NodeLog> OpenLogAsync(DateTimeOffset? since, CancellationToken cancellationToken)
    {
        var connected = await engine(cancellationToken);
        // A container that was started again keeps the log of its earlier runs.
        var inspected = await connected.InspectAsync(container, cancellationToken);
        var started = TimeOf(inspected.State?.StartedAt);
        var ended = TimeOf(inspected.State?.FinishedAt); // Of the run before, as long as this one goes on; the year 1 for the first.
        // The engine notes the start a moment after the process has begun to write.
        var first = ended < started ? ended : started - TimeSpan.FromSeconds(1);
        var isStart = since is not { } asked || asked < started;
        return new NodeLog(await connected.OpenLogAsync(container, LogLinesMax, isStart ? first : since!.Value, cancellationToken),
            NodeLog.Since(isStart ? started : since!.Value, isStart));
    }

    private static DateTimeOffset TimeOf(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time > DateTimeOffset.UnixEpoch ? time : DateTimeOffset.UnixEpoch;
}
