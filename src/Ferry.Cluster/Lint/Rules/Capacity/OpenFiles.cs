using System.Globalization;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>The file limit is small for the number of sequences.</summary>
internal sealed class OpenFiles : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP005",
        Severity = LintSeverity.Info,
        Title = "The file limit is small for the number of sequences",
        Why = "Every client holds a socket on the API server, and every rank's LMCache a file for each chunk it writes. A limit that is set " +
            "below a few thousand is reached under load.",
        Symptom = "`OSError: [Errno 24] Too many open files`.",
        Fix = "Set --ulimit nofile=65536:65536.",
        Versions = "every version",
        Sources = ["vLLM docs/usage/troubleshooting.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              --ulimit nofile=65536:65536 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-num-seqs 512
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              --ulimit nofile=1024:1024 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-num-seqs 512
            """),
    };

    private const int FilesMin = 4096;

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Container?.Ulimit("nofile") is not { } written || !int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var files) || files >= FilesMin) { return; }
        var limit = engine.Container.Ulimits.Last(limit => limit.Value.StartsWith("nofile=", StringComparison.Ordinal));
        findings.Report(Info, limit.Span, $"{engine.Name} may open {files} files. Set nofile=65536:65536.", Edits.Replace(limit, "nofile=65536:65536"));
    }
}
