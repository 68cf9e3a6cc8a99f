using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>The way into one process' container, pod or machine.</summary>
/// <remarks>Every member throws <see cref="ContainerException"/> when it fails and <see cref="AccessUnsupportedException"/> when this way cannot do it at all.</remarks>
internal interface INodeAccess
{
    /// <summary>For people: <c>container prefill-0 at ssh://host</c>.</summary>
    string Description { get; }

    /// <summary>Runs a program there. Exit code 127: there is no such program.</summary>
    Task<CommandResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken);

    /// <summary>The processes there, with the environment each really has.</summary>
    Task<IReadOnlyList<NodeProcess>> ProcessesAsync(CancellationToken cancellationToken);

    /// <summary>The process' log, ready to be read once.</summary>
    /// <param name="since">What was written before is left out; null: what was written before the process started.</param>
    Task<NodeLog> OpenLogAsync(DateTimeOffset? since, CancellationToken cancellationToken);
}
