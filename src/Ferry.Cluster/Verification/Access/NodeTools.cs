using Ferry.Cluster.Containers;

namespace Ferry.Cluster.Verification.Access;

/// <summary>Running small tools that an image may have under their own name, or inside busybox, or not at all.</summary>
internal static class NodeTools
{
    /// <exception cref="AccessUnsupportedException">The image has neither the tool nor busybox.</exception>
    public static async Task<CommandResult> RunToolAsync(this INodeAccess access, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var result = await access.RunAsync(command, cancellationToken);
        if (result.ExitCode != CommandResult.NotFound)
        {
            return result;
        }
        result = await access.RunAsync(["busybox", .. command], cancellationToken);
        return result.ExitCode != CommandResult.NotFound
            ? result
            : throw new AccessUnsupportedException($"{command[0]} is not in the image of {access.Description}.");
    }
}
