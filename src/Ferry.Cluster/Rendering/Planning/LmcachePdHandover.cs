using System.Text.Json.Nodes;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>LMCache's own prefill/decode mode: the sender writes chunks into the receiver's buffer by NIXL, and a proxy is told when they are there.</summary>
internal sealed class LmcachePdHandover : IHandoverProfile
{
    public string Summary => "by LMCache's PD mode: each prefill rank writes its chunks into the decode rank of the same number over NIXL, driven by LMCache's own proxy";

    public bool UsesUcx => true;

    public void Check(PlanContext context)
    {
        HandoverProfiles.CheckPackedLayout(context);
        var spec = context.Spec;
        var vendors = spec.Pools.Select(pool => spec.ProfileOf(pool).Vendor).Distinct().Count();
        if (vendors > 1)
        {
            context.Warn("handover.kind is lmcache-pd between accelerators of different vendors: nobody has shown it to work, and LMCache's Gaudi support has no PD backend. handover.kind: ferry works.");
        }
        if (spec.Pools.Select(pool => pool.TensorParallel).Distinct().Count() > 1)
        {
            context.Errors.Add($"handover.kind lmcache-pd needs equal tensorParallel: rank r sends to rank r (LMCache #1142). The pools have {string.Join(", ", spec.Pools.Select(pool => $"{pool.Name} {pool.TensorParallel}"))}.");
        }
        if (spec.Pools.Any(pool => pool.Role == PoolRole.Both))
        {
            context.Errors.Add("handover.kind lmcache-pd knows senders and receivers only: give every pool the role prefill or decode.");
        }
        if (context.IsKubernetes && spec.DecodePools.Sum(pool => pool.Nodes.Count) > 1)
        {
            context.Errors.Add("handover.kind lmcache-pd with several decode nodes cannot be rendered for Kubernetes: its proxy names each receiver by a fixed address. Take one decode node, or handover.kind: ferry.");
        }
        if (spec.Nodes.Any(entry => entry.Pool.Role == PoolRole.Decode && context.SharesMachine(entry.Node) && context.Place(entry.Node) > 0))
        {
            context.Errors.Add("handover.kind lmcache-pd cannot have a decode node beside another node on one machine: its proxy knows one list of ports for all receivers. Give each its own address.");
        }
        if (spec.Storage.Kind != StorageKind.None || spec.Cache.DiskBytes > 0 || spec.Pools.Any(pool => pool.Cache.DiskBytes > 0))
        {
            context.Warn("storage and cache.disk have no effect with handover.kind lmcache-pd: its engines keep no other tier (LMCache asserts where they meet). With handover.kind: ferry they have.");
        }
        context.Warn($"handover.kind lmcache-pd needs LMCache's proxy, which is no part of any image: put examples/disagg_prefill/{RouterPlanner.ProxyScript} of the image's LMCache version beside the router's files. It has no limits, no retries and no keys.");
    }

    public JsonObject TransferConfig(PlanContext context, PoolSpec pool, NodeSpec node) => new()
    {
        ["kv_connector"] = "LMCacheConnectorV1",
        ["kv_role"] = HandoverProfiles.KvRole(pool),
        // The decode side computes the last token itself, to have something to sample from.
        ["kv_connector_extra_config"] = pool.Role == PoolRole.Decode
            ? new JsonObject { ["skip_last_n_tokens"] = 1, ["lmcache_rpc_port"] = $"{node.Name}" }
            : new JsonObject { ["lmcache_rpc_port"] = $"{node.Name}" },
    };

    public IEnumerable<PlannedVariable> Environment(PlanContext context, PoolSpec pool, NodeSpec node)
    {
        var handover = context.Spec.Handover;
        yield return HandoverProfiles.HashSeed(context);
        yield return new PlannedVariable("LMCACHE_ENABLE_PD", "True", "LMCache's prefill/decode mode");
        yield return new PlannedVariable("LMCACHE_PD_ROLE", pool.Role == PoolRole.Prefill ? "sender" : "receiver", "prefill sends, decode receives");
        yield return new PlannedVariable("LMCACHE_TRANSFER_CHANNEL", "nixl", "the only channel of this mode");
        yield return new PlannedVariable("LMCACHE_PD_BUFFER_SIZE", $"{handover.PdBufferBytes}", "bytes of each rank");
        yield return new PlannedVariable("LMCACHE_PD_BUFFER_DEVICE", handover.BufferDevice == BufferDevice.Cpu ? "cpu" : context.Spec.ProfileOf(pool).DeviceType, "where the buffer lies; the same kind on both sides");
        if (pool.Role == PoolRole.Prefill)
        {
            yield return new PlannedVariable("LMCACHE_PD_PROXY_HOST", RouterPlanner.HostFor(context), "the proxy, which is told when a prompt's chunks have been sent");
            yield return new PlannedVariable("LMCACHE_PD_PROXY_PORT", $"{handover.PdProxyPort}", "port at which it is told");
        }
        else
        {
            yield return new PlannedVariable("LMCACHE_PD_PEER_HOST", context.OwnAddress(node), "this node's own address, which senders dial");
            yield return new PlannedVariable("LMCACHE_PD_PEER_INIT_PORT", Ports(handover.PdInitPort, context, pool, node), "one port a rank");
            yield return new PlannedVariable("LMCACHE_PD_PEER_ALLOC_PORT", Ports(handover.PdAllocPort, context, pool, node), "one port a rank");
            yield return new PlannedVariable("LMCACHE_PD_ALLOCATION_TIMEOUT_SEC", "30", "the default waits for ever with the sender's socket held");
        }
        yield return new PlannedVariable("LMCACHE_PRE_CACHING_HASH_ALGORITHM", "sha256_cbor", "the same hashes whatever the Python version");
        yield return new PlannedVariable("LMCACHE_CHUNK_SIZE", $"{context.Spec.Cache.ChunkTokens}", "tokens of a chunk: equal everywhere");
        yield return new PlannedVariable("LMCACHE_LOCAL_CPU", "False", "as upstream has it with PD: no tier beside the receiver's buffer");
        yield return new PlannedVariable("LMCACHE_MAX_LOCAL_CPU_SIZE", "0", "no pool either");
        if (context.Spec.ProfileOf(pool).Vendor == AcceleratorVendor.IntelGaudi)
        {
            yield return HandoverProfiles.GaudiMigration;
        }
        foreach (var variable in UcxVariables.Of(context, pool))
        {
            yield return variable;
        }
    }

    public IEnumerable<PlannedArgument> Arguments(PlanContext context, PoolSpec pool) => [];

    public IEnumerable<PlannedPort> Ports(PlanContext context, PoolSpec pool, NodeSpec node)
    {
        if (pool.Role == PoolRole.Decode)
        {
            for (var rank = 0; rank < pool.TensorParallel; rank++)
            {
                yield return new PlannedPort($"pd-init-{rank}", First(context.Spec.Handover.PdInitPort, context, pool, node) + rank, PortCallers.Engines);
                yield return new PlannedPort($"pd-alloc-{rank}", First(context.Spec.Handover.PdAllocPort, context, pool, node) + rank, PortCallers.Engines);
            }
        }
    }

    private static string Ports(int first, PlanContext context, PoolSpec pool, NodeSpec node) =>
        string.Join(',', Enumerable.Range(First(first, context, pool, node), pool.TensorParallel));

    private static int First(int port, PlanContext context, PoolSpec pool, NodeSpec node) => port + (context.Place(node) * pool.TensorParallel);
}
