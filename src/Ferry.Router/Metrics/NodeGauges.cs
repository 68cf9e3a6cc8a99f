using Ferry.Kv.Metrics;

namespace Ferry.Router.Metrics;

/// <summary>Gauges of each node, copied when /metrics is read.</summary>
internal static class NodeGauges
{
    public static void Register(MetricRegistry registry, RouterRuntime router)
    {
        var up = registry.Gauge("ferry_router_node_up", "1: the node takes work. 0: it is down, left out, drains or went.", "node", "role");
        var running = registry.Gauge("ferry_router_node_requests_running", "Legs of this router at the node.", "node", "role");
        var reported = registry.Gauge("ferry_router_node_requests_reported", "Running and waiting requests, as the node's own metrics say.", "node", "role");
        var queued = registry.Gauge("ferry_router_node_queued_tokens", "Prompt tokens that the node has to compute for legs without a first byte.", "node", "role");
        var leases = registry.Gauge("ferry_router_node_leases", "Prompts whose KV the node holds for a decode node.", "node", "role");
        var usage = registry.Gauge("ferry_router_node_kv_cache_usage_perc", "Share of the node's KV pages in use, as its own metrics say: 1 is all.", "node", "role");
        var events = registry.Gauge("ferry_router_node_kv_events", "1: the node's KV events are followed without a gap.", "node", "role");
        var waiting = registry.Gauge("ferry_router_num_requests_waiting", "Requests that wait for a place.").With();
        var indexBytes = registry.Gauge("ferry_router_prefix_index_bytes", "Memory of the prefix index.").With();
        var indexBlocks = registry.Gauge("ferry_router_prefix_index_capacity_blocks", "Blocks that fit into it.").With();
        var evictions = registry.Counter("ferry_router_prefix_index_evictions_total", "Blocks that it gave up for others.").With();
        var known = new HashSet<Node>();
        registry.OnCollect(() =>
        {
            var now = router.Time.Milliseconds;
            var nodes = router.Nodes.Current.Nodes.ToHashSet();
            foreach (var node in known.Except(nodes)) { up.With(node.Name, RouterMetrics.NameOf(node.Role)).Set(0); }
            known.Clear();
            foreach (var node in nodes)
            {
                known.Add(node);
                var role = RouterMetrics.NameOf(node.Role);
                up.With(node.Name, role).Set(node.TakesWork(now) ? 1 : 0);
                running.With(node.Name, role).Set(node.Running);
                reported.With(node.Name, role).Set(node.Health.ReportedRequests);
                queued.With(node.Name, role).Set(node.QueuedTokens);
                leases.With(node.Name, role).Set(node.Leases);
                usage.With(node.Name, role).Set(node.Health.KvUsage);
                events.With(node.Name, role).Set(node.HasEvents ? 1 : 0);
            }
            waiting.Set(router.Admission.Waiting);
            if (router.Knowledge.IndexIfMade is { } index)
            {
                indexBytes.Set(index.Bytes);
                indexBlocks.Set(index.Capacity);
                evictions.Set(index.Evictions);
            }
        });
    }
}
