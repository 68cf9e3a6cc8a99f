using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>A container of a pod.</summary>
internal sealed class KubernetesAccess(KubernetesPods pods, string pod, string container, TimeProvider time) : INodeAccess
{
    private const int LogLinesMax = 1_000_000;

    public string Description => $"pod {pods.Namespace}/{pod}";

    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken) => pods.RunAsync(pod, container, command, cancellationToken);

    public async Task<IReadOnlyList<NodeProcess>> ProcessesAsync(CancellationToken cancellationToken)
    {
        var listing = await pods.RunAsync(pod, container, ProcessListing.Command, cancellationToken);
        return listing.ExitCode is 126 or CommandResult.NotFound
            ? throw new AccessUnsupportedException($"The image of {Description} has no shell: the environment of its processes cannot be read.")
            : ProcessListing.Parse(listing.Output);
    }

    /// <remarks>Kubernetes keeps the log of an earlier run apart: this is the running container's.</remarks>
    public async Task<NodeLog> OpenLogAsync(DateTimeOffset? since, CancellationToken cancellationToken) => new(
        await pods.OpenLogAsync(pod, container, LogLinesMax, time.GetUtcNow() - since, cancellationToken),
        since is { } asked ? NodeLog.Since(asked, isStart: false) : NodeLog.ItsStart);
}
