using System.Text.Json.Nodes;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>Through Ferry's exchange: unmodified LMCache in every engine, with its node's <c>ferry cache</c> as its remote store. The one way that works between vendors.</summary>
internal sealed class FerryHandover : IHandoverProfile
{
    public string Summary => "through Ferry's exchanges: each engine's LMCache puts and gets its chunks at its own node's over RESP, and exchanges read from each other and convert between the two sides";

    public bool UsesUcx => false;

    public void Check(PlanContext context)
    {
        HandoverProfiles.CheckPackedLayout(context);
        var sizes = context.Spec.Pools.Select(pool => pool.TensorParallel).Distinct().ToList();
        if (sizes.Count > 1 && context.Spec.Model.TryShape() is null)
        {
            context.Errors.Add($"model.shape is missing, and the pools have different tensorParallel ({string.Join(", ", sizes)}): without layers and heads the exchange cannot cut one side's shards for the other. Give model.shape, or equal sizes.");
        }
        if (sizes.Count > 1 && !context.Spec.Cache.Convert)
        {
            context.Errors.Add($"cache.convert is false, and the pools have different tensorParallel ({string.Join(", ", sizes)}): no side would find the other's shards. Set it to true, or give equal sizes.");
        }
        if (context.Spec.Model.KvDType == KvCacheDType.Fp8)
        {
            var formats = context.Spec.Pools.Select(pool => context.Spec.ProfileOf(pool).Fp8).Distinct().Count();
            context.Warn(formats > 1
                ? "model.kvDtype is fp8, whose bits mean twice as much on one side as on the other. The exchange refuses what it cannot convert exactly, and then the decode side computes the prompt again. bfloat16 is safe."
                : "model.kvDtype is fp8: its scales are not part of LMCache's chunks, so both sides must load the same static scales from the checkpoint.");
        }
        foreach (var pool in context.Spec.Pools.Where(pool => context.Spec.Cache.ChunkTokens % context.Spec.BlockTokensOf(pool) != 0))
        {
            context.Errors.Add($"cache.chunkTokens is {context.Spec.Cache.ChunkTokens}, no multiple of the {context.Spec.BlockTokensOf(pool)} tokens of a block in pool {pool.Name}. Take {Sizes.RoundUp(context.Spec.Cache.ChunkTokens, context.Spec.BlockTokensOf(pool))}.");
        }
    }

    /// <summary>Both, on either side: a consumer of LMCache never saves, and a producer never reuses.</summary>
    public JsonObject TransferConfig(PlanContext context, PoolSpec pool, NodeSpec node)
    {
        var config = new JsonObject { ["kv_connector"] = "LMCacheConnectorV1", ["kv_role"] = "kv_both" };
        if (context.SharesMachine(node))
        {
            config["kv_connector_extra_config"] = new JsonObject { ["lmcache_rpc_port"] = node.Name };   // the look-up socket of two instances on one host
        }
        return config;
    }

    public IEnumerable<PlannedVariable> Environment(PlanContext context, PoolSpec pool, NodeSpec node)
    {
        var site = new ExchangeSite(pool, node, context.IsKubernetes);
        var memory = NodeMemory.Of(context, pool);
        var cache = context.Spec.Cache;
        yield return HandoverProfiles.HashSeed(context);
        yield return new PlannedVariable(
            "LMCACHE_REMOTE_URL", "redis://default:", "this node's exchange, which finds with the others what it lacks", context.Secrets.RespPassword, $"@{site.Endpoint(context)}");
        yield return new PlannedVariable("LMCACHE_REMOTE_SERDE", "naive", "plain bytes: the only form that can be converted for the other side");
        yield return new PlannedVariable("LMCACHE_PRE_CACHING_HASH_ALGORITHM", "sha256_cbor", "the same hashes whatever the Python version");
        yield return new PlannedVariable("LMCACHE_CHUNK_SIZE", $"{cache.ChunkTokens}", "tokens of a chunk: equal everywhere, and a multiple of every block size");
        yield return new PlannedVariable("LMCACHE_LOCAL_CPU", "True", "with False a full staging buffer is never freed (LMCache #2942)");
        yield return new PlannedVariable("LMCACHE_MAX_LOCAL_CPU_SIZE", Sizes.Gib(memory.RankBytes), $"GiB of each of the {pool.TensorParallel} ranks, not of the node");
        yield return new PlannedVariable("LMCACHE_SAVE_DECODE_CACHE", cache.SaveDecode ? "True" : "False", cache.SaveDecode ? "generated tokens are kept, too: later turns find them" : "generated tokens are not kept");
        yield return new PlannedVariable("LMCACHE_SAVE_UNFULL_CHUNK", cache.SaveUnfullChunk ? "True" : "False", cache.SaveUnfullChunk ? "the last, unfull chunk of a prompt is handed over, too" : "the last, unfull chunk of a prompt is computed again");
        if (context.Spec.ProfileOf(pool).Vendor == AcceleratorVendor.IntelGaudi)
        {
            yield return HandoverProfiles.GaudiMigration;
        }
    }

    public IEnumerable<PlannedArgument> Arguments(PlanContext context, PoolSpec pool)
    {
        if (context.Spec.ProfileOf(pool).Vendor == AcceleratorVendor.IntelGaudi && !pool.Engine.Flags.Contains("--enforce-eager"))
        {
            yield return PlannedArgument.Because("LMCache on Gaudi runs in eager mode", "--enforce-eager");
        }
    }

    public IEnumerable<PlannedPort> Ports(PlanContext context, PoolSpec pool, NodeSpec node) => [];
}
