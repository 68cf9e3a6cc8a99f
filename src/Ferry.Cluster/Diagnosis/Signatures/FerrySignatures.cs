namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What Ferry's own processes say. Its log lines are in the source: each literal here is part of one (a test holds them together).</summary>
internal static class FerrySignatures
{
    private static readonly IReadOnlyList<string> Source = ["Ferry's own log"];
    private static readonly EvidenceNeed PrefillLog = new("the prefill node's log of the same minutes", "docker logs --timestamps PREFILL 2>&1 | ferry diagnose -", LogVoices.Prefill);
    private static readonly EvidenceNeed RouterState = new("how the router sees its nodes", "curl -s http://ROUTER:PORT/metrics | grep ferry_router_node_up", "DIAG-METRIC-09");

    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-FERRY-01",
            Component = "Ferry router",
            Severity = SignatureSeverity.Degraded,
            Title = "Requests were decoded without a hand-over",
            Lines = [new("; the decode node does the whole request", "no hand-over")],
            Cause = "No prefill node gave KV for these requests; the reason stands in the parentheses. Clients get right answers, later.",
            Fix = "Mend what the reason names: a prefill node that is down, one without a connector, one that answers errors.",
            Sources = Source,
            Needs = [RouterState, PrefillLog],
            CausedBy = ["DIAG-FERRY-02", "DIAG-FERRY-03", "DIAG-FERRY-10", "DIAG-VLLM-03"],
        },
        new()
        {
            Id = "DIAG-FERRY-02",
            Component = "Ferry router",
            Severity = SignatureSeverity.Degraded,
            Title = "A prefill node fails requests",
            Lines = [new(": prefill node ", "prefill node .* failed: ")],
            Cause = "The prefill leg ended with an error or a timeout; the reason stands behind 'failed:'.",
            Fix = "Read that node's own log of the same second.",
            Sources = Source,
            Needs = [PrefillLog],
            CausedBy = ["DIAG-FERRY-03", "DIAG-VLLM-13"],
        },
        new()
        {
            Id = "DIAG-FERRY-03",
            Component = "Ferry router",
            Severity = SignatureSeverity.Failure,
            Title = "A node is down",
            Lines = [new(" is down: ", @"(?i)(prefill|decode) node \S+ is down: ")],
            Cause = "The node does not answer its health probe; the reason stands behind 'down:'.",
            Fix = "Start it, or correct its address in the router's configuration.",
            Sources = Source,
            Needs = [RouterState],
        },
        new()
        {
            Id = "DIAG-FERRY-04",
            Component = "Ferry router",
            Severity = SignatureSeverity.Degraded,
            Title = "A pair of nodes cannot move KV",
            Lines = [new(" fail; the pair is left out for ", "transfers from ")],
            Cause = "Each node works, but transfers between these two fail: a firewall between them, a side channel that is bound to the wrong address, unlike versions.",
            Fix = "Check the side channel from the decode node's host; the reason stands behind the last colon.",
            Sources = Source,
            Needs = [new("a handshake from the decode node's host", "ferry verify -f ferry.yaml --only side-channel")],
        },
        new()
        {
            Id = "DIAG-FERRY-05",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "KV was asked for, but none moved",
            Lines = [new(", but none moved: ", "asked for KV of ")],
            Cause = "The decode node could not fetch what the prefill node lent; the reason stands behind the colon. The prompt was computed again.",
            Fix = "A refused connection or a timeout: check VLLM_NIXL_SIDE_CHANNEL_HOST and _PORT of the prefill node and the way there. An ended lease: raise kv_lease_duration.",
            Sources = Source,
            Needs = [PrefillLog],
            CausedBy = ["DIAG-FERRY-06", "DIAG-FERRY-07", "DIAG-FERRY-09"],
        },
        new()
        {
            Id = "DIAG-FERRY-06",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "A lease ran out before the decode node had fetched",
            Lines = [new(" ran out before the decode node had fetched it")],
            Cause = "The decode node queued longer than the lease, or never got the request.",
            Fix = "Raise kv_lease_duration (handover.leaseSeconds), or shorten the decode node's queue.",
            Sources = Source,
            Needs = [new("the decode node's queue", "curl -s http://DECODE:PORT/metrics | grep num_requests_waiting")],
        },
        new()
        {
            Id = "DIAG-FERRY-07",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Failure,
            Title = "Peers are told to dial every address and none",
            Lines = [new("which is every address and none: they would dial themselves")],
            Cause = "The side channel is bound to 0.0.0.0 or ::, and that is what peers are told.",
            Fix = "Set VLLM_NIXL_SIDE_CHANNEL_HOST to this node's own address, or let the router replace remote_host.",
            LintRules = ["FERRY-PAIR015"],
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-08",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "KV of a peer cannot be converted to this node's layout",
            Lines = [new(" cannot be converted to this node's layout and is not used: ")],
            Cause = "Model, heads or dtype of the two sides differ in a way that no conversion mends; the reason stands behind the colon.",
            Fix = "Serve the same model with a KV dtype that converts (bfloat16 is safe) on both sides.",
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-09",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "No room to hold KV for a decode node",
            Lines = [new("but there was no room to hold its KV: ")],
            Cause = "The exchange's memory is full of leased and pinned records.",
            Fix = "Raise cache.memory (LMCACHE_MAX_LOCAL_CPU_SIZE), or lower the number of requests in flight.",
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-10",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "A node was asked to lend KV but has no transfer agent",
            Lines = [new("but this node has no transfer agent; it answers without kv_transfer_params")],
            Cause = "The node was started without --kv-transfer-config.",
            Fix = "Start it with --kv-transfer-config '{\"kv_connector\":\"NixlConnector\",\"kv_role\":\"kv_producer\"}'.",
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-11",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "A cache tier was switched off",
            Lines = [new(["Cache tier ", "Disk tier "], @"tier \S+ is off for ")],
            Cause = "The tier failed or was too slow; requests go on without it and it is tried again by itself. The reason stands behind the colon.",
            Fix = "Mend the store behind it: S3, Redis, the disk.",
            Sources = Source,
            Needs = [new("the tiers now", "curl -s http://NODE:PORT/metrics | grep ferry_cache_tier_up", "DIAG-METRIC-08")],
            CausedBy = ["DIAG-S3-01", "DIAG-S3-02", "DIAG-S3-03", "DIAG-S3-04", "DIAG-S3-05", "DIAG-CEPH-01", "DIAG-CEPH-02", "DIAG-REDIS-01", "DIAG-REDIS-02", "DIAG-REDIS-03", "DIAG-DISK-01"],
        },
        new()
        {
            Id = "DIAG-FERRY-12",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "Stored KV was damaged; it was dropped, not used",
            Lines = [new(["A KV record on disk is damaged", "does not match its checksum and was dropped", "A KV record in ", "A KV record of chunk ", " is damaged ("], "is damaged|does not match its checksum")],
            Cause = "Bytes changed in memory, on disk or on the way. The checksum caught it and the chunk was computed again.",
            Fix = "Once: nothing. Repeatedly: check the device (smartctl, edac-util) or the network that the line names.",
            Sources = Source,
            Needs = [new("the device's own errors", "dmesg -T | grep -iE 'i/o error|mce|edac'; smartctl -a DEVICE")],
        },
        new()
        {
            Id = "DIAG-FERRY-13",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "The memory tier has no room",
            Lines = [new("The KV cache has no room for a record of ")],
            Cause = "Everything in memory is leased or pinned, so that nothing can be evicted.",
            Fix = "Raise the cache's memory or shorten the lease.",
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-14",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "Writing behind cannot keep up",
            Lines = [new(" cannot keep up: its queue of ", "Writing behind to ")],
            Cause = "KV is made faster than the tier takes it; what does not fit the queue stays in memory only.",
            Fix = "A faster store, fewer tokens worth keeping (save_decode_cache false), or several gateways.",
            Sources = Source,
            CausedBy = ["DIAG-CEPH-02", "DIAG-S3-05"],
        },
        new()
        {
            Id = "DIAG-FERRY-15",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Silent,
            Title = "The cache is open to the network without a password",
            Lines = [new("beyond this machine, and asks nobody for a password")],
            Cause = "The RESP or lm:// front listens beyond loopback. Whoever reaches it can read and change KV, and so the answers.",
            Fix = "Bind it to loopback (an engine uses its own node's exchange), or set a password.",
            LintRules = ["FERRY-SEC004"],
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-16",
            Component = "Ferry transfer",
            Severity = SignatureSeverity.Failure,
            Title = "A peer's connection was refused",
            // A peer that only went away (ConnectionLost) was not refused.
            Lines = [new("Connection from ", "Connection from .* refused: (AuthenticationFailed|VersionMismatch|ConnectedToSelf|ProtocolViolation|Refused|Overloaded)")],
            Cause = "The peer has another shared secret, no certificate of this cluster, or another version.",
            Fix = "Give both sides the same secret or certificates of one authority.",
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-17",
            Component = "Ferry transfer",
            Severity = SignatureSeverity.Degraded,
            Title = "A read under an ended lease was refused",
            Lines = [new(" under lease ", "A read by .* was refused: ")],
            Cause = "The decode node read too late. Ferry refuses such a read, where NIXL would hand out whatever is there now.",
            Fix = "Raise kv_lease_duration (handover.leaseSeconds), or shorten the decode node's queue.",
            Sources = Source,
            CausedBy = ["DIAG-FERRY-06"],
        },
        new()
        {
            Id = "DIAG-FERRY-18",
            Component = "Ferry cache",
            Severity = SignatureSeverity.Degraded,
            Title = "A client's KV contradicts its model card and is never converted",
            Lines = [new(["contradicts its model card", "is kept as bytes and never converted: "])],
            Cause = "What LMCache sent has another shape or dtype than the model card says; Ferry keeps it as bytes, so that only equal nodes can use it.",
            Fix = "Correct the card (layers, KV heads, head dim, dtype) or the client's --kv-cache-dtype and tensor-parallel size.",
            Sources = Source,
        },
        new()
        {
            Id = "DIAG-FERRY-19",
            Component = "Ferry engine",
            Severity = SignatureSeverity.Failure,
            Title = "Ferry's engine stopped by an error",
            Lines = [new("The engine's loop ended by an error")],
            Cause = "A defect of Ferry, or the machine ran out of memory.",
            Fix = "Restart the process; please report the lines around this one.",
            Sources = Source,
            CausedBy = ["DIAG-K8S-02"],
        },
        new()
        {
            Id = "DIAG-FERRY-20",
            Component = "Ferry exchange",
            Severity = SignatureSeverity.Degraded,
            Title = "A hand-over was expected and did not happen",
            Lines = [new("the hand-over did not happen (")],
            Cause = "A request came with kv_transfer_params, and the KV could not be used; the reason stands in the parentheses. The prompt was computed here.",
            Fix = "Mend what the reason names.",
            Sources = Source,
            Needs = [PrefillLog],
            CausedBy = ["DIAG-FERRY-05", "DIAG-FERRY-08"],
        },
    ];
}
