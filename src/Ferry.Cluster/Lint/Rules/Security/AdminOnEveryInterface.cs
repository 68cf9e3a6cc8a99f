using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>An unauthenticated admin port on every interface.</summary>
internal sealed class AdminOnEveryInterface : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC004",
        Severity = LintSeverity.Error,
        Title = "An unauthenticated admin port on every interface",
        Why = "LMCache's MP server and its internal API server answer anybody: /env shows secrets, /clear-cache empties the cache and " +
            "/run_script executes uploaded Python.",
        Symptom = "Nothing, until it is used.",
        Fix = "Bind to 127.0.0.1: --http-host 127.0.0.1, LMCACHE_INTERNAL_API_SERVER_HOST=127.0.0.1.",
        Versions = "LMCache all",
        Sources = ["LMCache lmcache/v1/internal_api_server", "LMCache documentation, MP server HTTP API"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_INTERNAL_API_SERVER_ENABLED=true -e LMCACHE_INTERNAL_API_SERVER_HOST=127.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_INTERNAL_API_SERVER_ENABLED=true \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.LoadsLmCache && process.LmCache.IsTrue("internal_api_server_enabled", false))
            {
                var host = process.LmCache.Value("internal_api_server_host");
                // Unset it is 0.0.0.0.
                if (host is null || SideChannel.IsAny(host.Value))
                {
                    findings.Report(Info, host?.Span ?? process.LmCache.Find("internal_api_server_enabled")!.Span,
                        $"LMCache's internal API server of {process.Name} listens on every address without a key and executes what /run_script is sent. Set LMCACHE_INTERNAL_API_SERVER_HOST=127.0.0.1.", host is null ? [] : Edits.Replace(host, "127.0.0.1"));
                }
            }
            if (process.Kind == ProcessKind.LmCacheServer && process.Arguments.Has("--l1-size-gb"))
            {
                var host = process.Arguments.Value("--http-host");
                if (host is null || SideChannel.IsAny(host.Value))
                {
                    findings.Report(Info, host?.Span ?? process.HeadSpan, $"the admin API of {process.Name} listens on {host?.Value ?? "0.0.0.0 (the default)"} without a key: /env, /clear-cache and /run_script are open. Add --http-host 127.0.0.1.", host is null ? [] : Edits.Replace(host, "127.0.0.1"));
                }
            }
        }
    }
}
