using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>No way in: only what the process serves can be asked.</summary>
internal sealed class HttpAccess : INodeAccess
{
    public static HttpAccess Instance { get; } = new();

    public string Description => "HTTP only";

    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken) => throw Unsupported();

    public Task<IReadOnlyList<NodeProcess>> ProcessesAsync(CancellationToken cancellationToken) => throw Unsupported();

    public Task<NodeLog> OpenLogAsync(DateTimeOffset? since, CancellationToken cancellationToken) => throw Unsupported();

    private static AccessUnsupportedException Unsupported() =>
        new("over HTTP nobody sees inside a node; use --access docker, kubernetes or local.");
}
