using System.Security.Cryptography;
using Ferry.Cluster.Verification.Access;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The shared directory is one and the same on every node: what one writes the others read.</summary>
internal sealed class DirectoryProbe : IProbe
{
    public string Id => "directory";

    public string Title => "the shared directory is the same on every node";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Spec.Storage.Directory is { } directory
        ? [new ProbeTask(directory.Path, token => RunAsync(cluster, directory.Path, token))]
        : [];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, string path, CancellationToken cancellationToken)
    {
        var targets = cluster.Targets.Where(target => target.Planned.Mounts.Any(mount => mount.ContainerPath == path)).ToList();
        if (targets.Count == 0)
        {
            return ProbeAnswer.Inconclusive("no process of the plan mounts it.");
        }
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var file = $"{path.TrimEnd('/')}/.ferry-verify-{token}";
        var writer = targets[0];
        // The path comes from ferry.yaml, which lets no quote or blank through; still it goes in as an argument, never into the program.
        var written = await writer.Access.RunAsync(["sh", "-c", "printf %s \"$2\" >\"$1\"", "sh", file, token], cancellationToken);
        if (!written.IsOk)
        {
            return ProbeAnswer.Violation($"{writer.Name} cannot write there: {HttpAnswers.Shorten(written.Error)}", "Mount it read-write, and give the container's user the right to write.");
        }
        var wrong = new List<string>();
        try
        {
            foreach (var reader in targets.Skip(1))
            {
                var read = await reader.Access.RunToolAsync(["cat", file], cancellationToken);
                if (!read.IsOk || read.Output != token)
                {
                    wrong.Add($"{reader.Name} does not see what {writer.Name} wrote ({HttpAnswers.Shorten(read.Error)})");
                }
            }
        }
        finally
        {
            await writer.Access.RunToolAsync(["rm", "-f", file], CancellationToken.None);
        }
        return ProbeAnswer.Of(wrong, $"{string.Join(", ", targets.Select(target => target.Name))} see the same directory", "Mount the same CephFS or NFS directory on every node.");
    }
}
