using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>The way to something that is not there: every question fails with the reason.</summary>
internal sealed class AbsentAccess(string reason) : INodeAccess
{
    public string Description => reason;

    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken) => throw new ContainerException(reason);

    public Task<IReadOnlyList<NodeProcess>> ProcessesAsync(CancellationToken cancellationToken) => throw new ContainerException(reason);

    public Task<NodeLog> OpenLogAsync(DateTimeOffset? since, CancellationToken cancellationToken) => throw new ContainerException(reason);
}
