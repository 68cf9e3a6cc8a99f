using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>A Redis without a password on the network.</summary>
internal sealed class RedisWithoutPassword : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC009",
        Severity = LintSeverity.Warning,
        Title = "A Redis without a password on the network",
        Why = "Whoever reaches the port reads the users' prompts as KV, writes KV that the engines will trust, and deletes the cache.",
        Symptom = "Nothing shows at run time.",
        Fix = "Start it with --requirepass (from a secret) and bind it to an internal address; put the user and a reference into the URL's " +
            "place.",
        Versions = "every version",
        Sources = ["Redis documentation, Security"],
        GoodExample = RuleExample.Shell("""
            redis-server --bind 127.0.0.1 --port 6379
            """),
        BadExample = RuleExample.Shell("""
            redis-server --bind 0.0.0.0 --protected-mode no --port 6379
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Kind != ProcessKind.Redis || process.Arguments.Has("--requirepass", "--aclfile") || process.Environment.Has("REDIS_PASSWORD")) { continue; }
            // A configuration file may hold a password.
            if (process.Arguments.Positionals.Any(word => word.Value.EndsWith(".conf", StringComparison.Ordinal))) { continue; }
            var bind = process.Arguments.Value("--bind");
            if (bind is not null && bind.Value.Split(' ').All(address => SideChannel.IsLocal(address))) { continue; }
            if (process.Container is { IsHostNetwork: false, Ports: var ports } && ports.All(port => SideChannel.IsLocal(port.HostAddress))) { continue; }
            findings.Report(Info, bind?.Span ?? process.HeadSpan, $"{process.Name} has no password and listens on {bind?.Value ?? "every address"}. Add --requirepass from a secret, or bind it to an internal address.");
        }
    }
}
