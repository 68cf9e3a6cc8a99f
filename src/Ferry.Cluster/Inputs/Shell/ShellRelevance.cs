namespace Ferry.Cluster.Inputs.Shell;

/// <summary>Which commands of a script this check is about: those that start a process of the cluster, or set its environment.</summary>
internal static class ShellRelevance
{
    /// <summary>Words of one command that are looked at.</summary>
    private const int MaxWords = 64;

    private static readonly string[] Signs = ["vllm", "lmcache", "ferry", "redis-server", "valkey", "nixl", "--kv-transfer-config"];

    public static bool IsRelevant(IReadOnlyList<ShellWord> words)
    {
        for (var i = 0; i < Math.Min(words.Count, MaxWords); i++)
        {
            var raw = words[i].Raw;
            if (i == 0 && words[i].AssignedNameLength() > 0) { return true; }
            if (i < 3 && raw is "docker" or "podman" or "nerdctl" && words.Skip(i + 1).Take(2).Any(word => word.Raw is "run" or "create")) { return true; }
            if (i < 3 && raw is "export" or "ssh" or "bash" or "sh" or "-e") { return true; }
            if (Signs.Any(sign => raw.Contains(sign, StringComparison.OrdinalIgnoreCase))) { return IsStart(words); }
        }
        return false;
    }

    /// <summary>A command that only looks (kubectl, curl, git) names the same words.</summary>
    private static bool IsStart(IReadOnlyList<ShellWord> words) =>
        Path.GetFileName(words[0].Raw) is not ("kubectl" or "helm" or "curl" or "git" or "terraform" or "pip" or "cd" or "echo" or "cat" or "grep" or "aws" or "gcloud" or "az" or "make");
}
