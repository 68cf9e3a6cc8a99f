using System.Text.Json.Nodes;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>A node's <c>ferry serve</c>: Ferry's own engine on the CPU, with the exchange in its process.</summary>
internal sealed class FerryEnginePlanner(PlanContext context)
{
    /// <summary>Variable that names the model's directory on a host, where the description has a hub's id.</summary>
    public const string ModelVariable = "FERRY_MODEL_DIR";

    private const long DefaultPoolBytes = 1L << 30;                             // What ferry serve takes unless told otherwise.
    private const int FullSequences = 2;                                        // Sequences of full length that the KV pool holds at least.
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(30);

    private ModelSpec Model => context.Spec.Model;

    public PlannedProcess Plan(PoolSpec pool, NodeSpec node, string name, bool movesKv) => new()
    {
        Name = name,
        Kind = PlannedKind.Engine,
        Role = pool.Role,
        Purpose = $"ferry serve on the CPU, {VllmPlanner.RoleText(pool.Role)}, KV as {Device(pool)} has it, tensor parallel {pool.TensorParallel}",
        Image = pool.Engine.Image ?? context.Spec.Cache.Image,
        Program = "ferry",
        IsFerry = true,
        Arguments = [.. Arguments(pool, node, movesKv)],
        Environment = [.. Environment(pool, node, movesKv)],
        Mounts = [.. Mounts(pool, node)],
        Ports =
        [
            new PlannedPort("http", ClusterSpec.PortOf(pool, node), PortCallers.Router | PortCallers.Monitoring),
            .. movesKv ? [new PlannedPort("side-channel", context.SideChannelPort(node), PortCallers.Engines | PortCallers.Router)] : (PlannedPort[])[],
        ],
        Health = new PlannedProbe(ClusterSpec.PortOf(pool, node), "/health", StartsWithin),
        MetricsPort = ClusterSpec.PortOf(pool, node),
        MemoryNeedBytes = (Sizes.WeightBytes(Model) ?? 0) + context.Spec.CacheOf(pool).MemoryBytes + (KvPoolBytes() ?? DefaultPoolBytes),
        StopsWithin = StopsWithin,
    };

    /// <summary>Where the engine finds the model: the path of the description, or a directory named after the id.</summary>
    public static string ModelPath(ModelSpec model) => VllmPlanner.IsDirectory(model.Id) ? model.Id : $"/models/{ModelName(model.Id)}";

    private static string ModelName(string id) => id.TrimStart('.', '/').TrimEnd('/').Split('/')[^1];

    private IEnumerable<PlannedArgument> Arguments(PoolSpec pool, NodeSpec node, bool movesKv)
    {
        yield return PlannedArgument.Of("serve", ModelPath(Model));
        yield return PlannedArgument.Because("what clients ask for; the same on both sides", "--served-model-name", Model.ServedName ?? Model.Id);
        yield return PlannedArgument.Of("--host", context.ListenAddress(node));
        yield return PlannedArgument.Of("--port", $"{ClusterSpec.PortOf(pool, node)}");
        yield return PlannedArgument.Because("the KV shape of this accelerator, computed on the CPU", "--device", Device(pool));
        yield return PlannedArgument.Of("--tensor-parallel-size", $"{pool.TensorParallel}");
        if (Model.KvDType is not (KvCacheDType.Auto or KvCacheDType.Fp8)) { yield return PlannedArgument.Of("--kv-cache-dtype", SpecNames.Of(Model.KvDType)); }
        if (pool.BlockTokens is { } block) { yield return PlannedArgument.Of("--block-size", $"{block}"); }
        yield return PlannedArgument.Of("--max-model-len", $"{Model.MaxLength}");
        yield return PlannedArgument.Of("--max-num-seqs", $"{pool.Limits.Sequences}");
        if (pool.Limits.BatchedTokens is { } batched) { yield return PlannedArgument.Of("--max-num-batched-tokens", $"{batched}"); }
        if (KvPoolBytes() is { } bytes) { yield return PlannedArgument.Because($"holds {FullSequences} sequences of full length", "--kv-cache-memory-bytes", $"{bytes}"); }
        if (pool.Engine.ChunkedPrefill is { } chunked) { yield return PlannedArgument.Of(chunked ? "--enable-chunked-prefill" : "--no-enable-chunked-prefill"); }
        if (pool.Engine.PrefixCaching is { } caching) { yield return PlannedArgument.Of(caching ? "--enable-prefix-caching" : "--no-enable-prefix-caching"); }
        if (Model.ChatTemplate is { } template) { yield return PlannedArgument.Of("--chat-template", template); }
        if (movesKv)
        {
            var extra = new JsonObject { ["kv_lease_duration"] = context.Spec.Handover.LeaseSeconds };
            if (context.Spec.Handover.Mode is not HandoverMode.Pull and var mode) { extra["handover_mode"] = SpecNames.Of(mode); }
            var config = new JsonObject
            {
                ["kv_connector"] = "FerryConnector",
                ["kv_role"] = HandoverProfiles.KvRole(pool),
                ["kv_buffer_device"] = "cpu",
                ["kv_connector_extra_config"] = extra,
            };
            yield return PlannedArgument.Because("Ferry's exchange, in the engine's own process", "--kv-transfer-config", config.ToJsonString());
        }
        foreach (var flag in pool.Engine.Flags) { yield return new PlannedArgument(CommandLineWords.Split(flag)); }
    }

    /// <summary>Bytes of the KV pool where the default could not hold two sequences of full length; null: the default does.</summary>
    private long? KvPoolBytes() =>
        Sizes.KvBytesPerToken(Model) is { } token && FullSequences * token * Model.MaxLength is var needed && needed > DefaultPoolBytes ? Sizes.RoundUp(needed, 1 << 30) : null;

    private IEnumerable<PlannedVariable> Environment(PoolSpec pool, NodeSpec node, bool movesKv)
    {
        var own = pool.Engine.Environment;
        return (movesKv ? Exchange(pool, node) : []).Where(variable => !own.ContainsKey(variable.Name))
            .Concat(own.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new PlannedVariable(entry.Key, entry.Value, "as engine.env says")));
    }

    private IEnumerable<PlannedVariable> Exchange(PoolSpec pool, NodeSpec node)
    {
        var cache = context.Spec.CacheOf(pool);
        var ranks = pool.TensorParallel;
        yield return HandoverProfiles.HashSeed(context);
        yield return new PlannedVariable("VLLM_NIXL_SIDE_CHANNEL_HOST", context.OwnAddress(node), "this node's own address: peers are told it, on the decode node, too");
        yield return new PlannedVariable("VLLM_NIXL_SIDE_CHANNEL_PORT", $"{context.SideChannelPort(node)}", "port of the side channel");
        if (context.IsKubernetes || !PlanContext.IsLoopback(node.Address))
        {
            yield return PlannedVariable.Of(context.Secrets.SharedSecret);
        }
        yield return new PlannedVariable("LMCACHE_CHUNK_SIZE", $"{cache.ChunkTokens}", "tokens of a chunk: equal everywhere, and a multiple of every block size");
        yield return new PlannedVariable("LMCACHE_CACHE_POLICY", SpecNames.Of(cache.Policy).ToUpperInvariant(), "what goes first when a tier is full");
        yield return new PlannedVariable("LMCACHE_MAX_LOCAL_CPU_SIZE", Sizes.Gib(cache.MemoryBytes / ranks), $"GiB of each of the {ranks} ranks: {Sizes.Exact(Sizes.RoundDown(cache.MemoryBytes, 1 << 20))} for the node");
        if (cache.DiskBytes > 0)
        {
            yield return new PlannedVariable("LMCACHE_LOCAL_DISK", DiskPath(cache, node), "the disk tier; its content survives restarts");
            yield return new PlannedVariable("LMCACHE_MAX_LOCAL_DISK_SIZE", Sizes.Gib(cache.DiskBytes / ranks), $"GiB of each rank: {Sizes.Exact(Sizes.RoundDown(cache.DiskBytes, 1 << 20))} for the node");
        }
        if (SharedStore.Url(context.Spec) is { } url)
        {
            yield return new PlannedVariable("LMCACHE_REMOTE_URL", url, "the tier that the whole fleet shares; written behind");
            foreach (var secret in context.Secrets.Storage()) { yield return PlannedVariable.Of(secret); }
        }
        yield return new PlannedVariable("LMCACHE_SAVE_DECODE_CACHE", cache.SaveDecode ? "True" : "False", cache.SaveDecode ? "generated tokens are kept, too: later turns find them" : "generated tokens are not kept");
        yield return new PlannedVariable("LMCACHE_SAVE_UNFULL_CHUNK", cache.SaveUnfullChunk ? "True" : "False", "whether the shared tier gets unfull chunks, too; the hand-over always does");
    }

    /// <summary>Two engines on one machine may not share a directory.</summary>
    private string DiskPath(CacheSpec cache, NodeSpec node) => context.Place(node) == 0 ? cache.DiskPath : $"{cache.DiskPath}-{node.Name}";

    private IEnumerable<PlannedMount> Mounts(PoolSpec pool, NodeSpec node)
    {
        var cache = context.Spec.CacheOf(pool);
        yield return new PlannedMount(
            "model", VllmPlanner.IsDirectory(Model.Id) ? Model.Id : $"${{{ModelVariable}}}", ModelPath(Model), IsReadOnly: true, Sizes.WeightBytes(Model) ?? 0,
            "config.json, tokenizer.json and *.safetensors; nothing is downloaded");
        if (cache.DiskBytes > 0)
        {
            yield return new PlannedMount(
                "cache", context.IsKubernetes ? null : DiskPath(cache, node), DiskPath(cache, node), IsReadOnly: false, Sizes.RoundUp(cache.DiskBytes + (cache.DiskBytes / 20), 1L << 30), "the disk tier");
        }
        if (context.Spec.Storage.Directory is { } directory)
        {
            yield return new PlannedMount("shared", directory.Path, directory.Path, IsReadOnly: false, 0, "the directory that every node mounts");
        }
    }

    /// <summary>The profile that <c>ferry serve</c> emulates: a known one, or the one that a profile of the file's own starts from.</summary>
    private string Device(PoolSpec pool)
    {
        var name = AcceleratorProfiles.ByName.ContainsKey(pool.Accelerator) ? pool.Accelerator : context.Spec.Profiles.GetValueOrDefault(pool.Accelerator)?.Base;
        return name is not null && AcceleratorProfiles.ByName.ContainsKey(name) ? name : "cpu";
    }
}
