using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.FerryYaml;

/// <summary>Where the settings of one planned process come from.</summary>
/// <param name="pool">Path of its pool; empty when it has none.</param>
/// <param name="head">Path of the name that it goes by.</param>
/// <param name="flags">The pool's own flags, which the planner hands on as they are.</param>
internal sealed class ProcessPlaces(FerryYamlPlaces places, PlannedProcess process, string pool, string head, IReadOnlyList<string> flags)
{
    private static readonly Dictionary<string, string> Variables = new(StringComparer.Ordinal)
    {
        ["PYTHONHASHSEED"] = "cache.hashSeed",
        ["UCX_TLS"] = "transport.tls",
        ["UCX_NET_DEVICES"] = "transport.devices",
        ["UCX_IB_GID_INDEX"] = "transport.gidIndex",
        ["LMCACHE_CHUNK_SIZE"] = "cache.chunkTokens",
        ["LMCACHE_MAX_LOCAL_CPU_SIZE"] = "cache.memory",
        ["LMCACHE_LOCAL_DISK"] = "cache.diskPath",
        ["LMCACHE_MAX_LOCAL_DISK_SIZE"] = "cache.disk",
        ["LMCACHE_REMOTE_URL"] = "storage",
        ["LMCACHE_EXTRA_CONFIG"] = "storage",
        ["VLLM_NIXL_SIDE_CHANNEL_PORT"] = "handover.sideChannelPort",
    };

    private static readonly Dictionary<string, string> Flags = new(StringComparer.Ordinal)
    {
        ["--tensor-parallel-size"] = "POOL.tensorParallel",
        ["--block-size"] = "POOL.blockTokens",
        ["--gpu-memory-utilization"] = "POOL.memoryUtilization",
        ["--max-num-seqs"] = "POOL.limits.sequences",
        ["--max-num-batched-tokens"] = "POOL.limits.batchedTokens",
        ["--port"] = "POOL.port",
        ["--attention-backend"] = "POOL.engine.attentionBackend",
        ["--max-model-len"] = "model.maxLength",
        ["--dtype"] = "model.dtype",
        ["--kv-cache-dtype"] = "model.kvDtype",
        ["--trust-remote-code"] = "model.trustRemoteCode",
        ["--chat-template"] = "model.chatTemplate",
        ["--served-model-name"] = "model.servedName",
        ["--kv-transfer-config"] = "handover",
    };

    /// <summary>The pool, or the part of the file that the process follows from.</summary>
    public SourceSpan Whole => places.Of(pool.Length > 0 ? $"{pool}.name" : head);

    public SourceSpan Head => places.Of(head);

    public SourceSpan OfVariable(string name)
    {
        var own = $"{pool}.engine.env.{name}";
        if (pool.Length > 0 && places.Has(own)) { return places.Of(own); }
        return Variables.TryGetValue(name, out var path) ? Nearest(path) : Head;
    }

    public SourceSpan OfArgument(IReadOnlyList<string> words)
    {
        for (var i = 0; i < flags.Count; i++)
        {
            if (flags[i] == string.Join(' ', words) || (words.Count > 0 && flags[i].StartsWith(words[0] + " ", StringComparison.Ordinal))) { return places.Of($"{pool}.engine.flags[{i}]"); }
        }
        var flag = words.Count == 0 ? "" : words[0].Split('=')[0];
        return flag.StartsWith('-') ? Flags.TryGetValue(flag, out var path) ? Nearest(path) : Head
            : process.Kind == PlannedKind.Engine ? Nearest("model.id") : Head;
    }

    /// <summary>A pool's own setting before the cluster's; the head where the file says nothing of it.</summary>
    private SourceSpan Nearest(string path)
    {
        if (path.StartsWith("POOL.", StringComparison.Ordinal))
        {
            var own = $"{pool}.{path["POOL.".Length..]}";
            return pool.Length > 0 && places.Has(own) ? places.Of(own) : Head;
        }
        if (pool.Length > 0 && places.Has($"{pool}.{path}")) { return places.Of($"{pool}.{path}"); }
        return places.Has(path) ? places.Of(path) : Head;
    }
}
