using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Text;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_TLS names a transport that UCX does not know.</summary>
internal sealed class UnknownTransport : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX002",
        Severity = LintSeverity.Error,
        Title = "UCX_TLS names a transport that UCX does not know",
        Why = "UCX warns about a name it does not know and goes on without it. rdma, roce, rdmacm, gpu and hpu are not transports; the list " +
            "then lacks what its author meant.",
        Symptom = "`UCX  WARN  transport 'rdma' is not available, please use one or more of: …` (silent with UCX_WARN_INVALID_CONFIG=n).",
        Fix = "Write the transport's own name. InfiniBand and RoCE are both rc (with ud for its connection set-up).",
        Versions = "UCX 1.13 and later",
        Sources = ["UCX src/ucp/core/ucp_context.c (table of transport aliases)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=rdma,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            foreach (var problem in ucx.List.Problems.Where(problem => problem.Kind == UcxTlsProblemKind.Unknown))
            {
                var span = ucx.SpanOf(problem.Entry);
                var nearest = NearestName.Find(problem.Entry, UcxNames.Words);
                findings.Report(Info, span, problem.Text, nearest is not null && span.Text == problem.Entry ? [new(span, nearest)] : []);
            }
        }
    }
}
