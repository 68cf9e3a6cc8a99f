namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What NIXL and vLLM's connector for it say when the two sides do not come together.</summary>
internal static class NixlSignatures
{
    private static readonly EvidenceNeed PrefillLog = new("the prefill node's log of the same minutes", "docker logs --timestamps PREFILL 2>&1 | ferry diagnose -", LogVoices.Prefill);
    private static readonly EvidenceNeed SideChannel = new("the side channel's address of both nodes", "docker exec NODE sh -c \"tr '\\\\0' '\\\\n' </proc/1/environ | grep VLLM_NIXL_SIDE_CHANNEL\"");
    private static readonly EvidenceNeed Handshake = new("a handshake from outside", "ferry verify -f ferry.yaml --only side-channel");

    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-NIXL-01",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "NIXL's UCX backend does not start",
            Lines = [new("NIXL_ERR_BACKEND")],
            Cause = "UCX could not be set up, or could not register the KV memory; the lines of UCX before this one say what.",
            Fix = "Mend what UCX reports. When it reports nothing: set UCX_TLS=rc,ud,tcp,sm,self and try again.",
            LintRules = ["FERRY-UCX001", "FERRY-UCX002"],
            Sources = ["LMCache/LMCache#605", "ai-dynamo/nixl#96", "vllm-project/vllm#50765"],
            Needs = [new("UCX's own lines", "UCX_LOG_LEVEL=info in the container, then docker logs NODE 2>&1 | grep UCX", "UCX")],
            CausedBy = ["DIAG-UCX-01", "DIAG-UCX-03", "DIAG-UCX-04", "DIAG-UCX-05", "DIAG-UCX-06", "DIAG-UCX-07", "DIAG-UCX-08", "DIAG-NIXL-14", "DIAG-RDMA-01"],
        },
        new()
        {
            Id = "DIAG-NIXL-02",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "The handshake reached the wrong engine",
            Lines = [new("NIXL agent engine ID mismatch")],
            Cause = "The address that the prefill node advertises leads to another engine. The classic: VLLM_NIXL_SIDE_CHANNEL_HOST is unset there, so that it advertises localhost, and the decode node dials itself.",
            Fix = "Set VLLM_NIXL_SIDE_CHANNEL_HOST on every node to its own routable address. On one host also give each engine its own VLLM_NIXL_SIDE_CHANNEL_PORT.",
            LintRules = ["FERRY-PAIR013", "FERRY-PAIR014", "FERRY-KVT020"],
            Sources = ["vllm-project/vllm#27083"],
            Needs = [SideChannel, PrefillLog],
        },
        new()
        {
            Id = "DIAG-NIXL-03",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "The two sides' compatibility hashes differ",
            Lines = [new("NIXL compatibility hash mismatch")],
            Cause = "vLLM's hash covers its version, the connector's version, the model string, dtype, KV heads, attention backend and KV dtype. An MI300X and a Gaudi3 always differ in the attention backend.",
            Fix = "Make version, --model string, --dtype and --kv-cache-dtype equal on both sides. What must differ needs \"kv_connector_extra_config\":{\"enforce_handshake_compat\":false} on the decode side, which turns every check off: prove the tokens afterwards with `ferry verify`. Ferry's exchange carries KV between unlike backends without it.",
            LintRules = ["FERRY-KVT008", "FERRY-PAIR003", "FERRY-PAIR009"],
            Sources = ["vllm-project/vllm#29503", "vllm-project/vllm-gaudi#1087"],
            Needs = [new("both versions", "curl -s http://NODE:PORT/version"), Handshake],
        },
        new()
        {
            Id = "DIAG-NIXL-04",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "The side channel does not answer",
            Lines = [new(["NIXL transfer failure: handshake", "zmq.error.Again"], "NIXL transfer failure: handshake|zmq.error.Again")],
            Cause = "The decode node could not finish the handshake with the prefill node: a wrong or local address (remote_host localhost), a firewall, a prefill node that is not ready or died.",
            Fix = "Look at remote_host and remote_port in the failure's context: they must be the prefill node's own address, reachable from here. Set VLLM_NIXL_SIDE_CHANNEL_HOST there; open its port.",
            LintRules = ["FERRY-PAIR014", "FERRY-PAIR015"],
            Sources = ["vllm-project/vllm#53018", "vllm-project/vllm#41863", "vllm-project/vllm#50765"],
            Needs = [SideChannel, Handshake, PrefillLog],
            CausedBy = ["DIAG-NIXL-01", "DIAG-NIXL-02", "DIAG-NIXL-03", "DIAG-NIXL-05", "DIAG-NIXL-10", "DIAG-NIXL-11"],
        },
        new()
        {
            Id = "DIAG-NIXL-05",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The side channel's host is not an address of this node; the engine hangs at its start",
            Lines = [new("nixl_handshake_listener"), new("Cannot assign requested address")],
            Cause = "VLLM_NIXL_SIDE_CHANNEL_HOST is the address that this node listens on. On a decode node it is often set to the prefill node's address: the bind fails in a thread, and the engine waits for it for ever.",
            Fix = "Set VLLM_NIXL_SIDE_CHANNEL_HOST to this node's own address. The decode node learns the prefill node's address from each request.",
            LintRules = ["FERRY-PAIR013", "FERRY-K8S006"],
            Sources = ["ai-dynamo/dynamo#2706", "vllm-project/vllm nixl connector (same in 0.11 and main)"],
            Needs = [SideChannel, new("the addresses of the host", "ip -brief address")],
        },
        new()
        {
            Id = "DIAG-NIXL-06",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "Two engines of one host want the same ZMQ port",
            Lines = [new("zmq.error.ZMQError: Address already in use")],
            Cause = "Both engines use the default VLLM_NIXL_SIDE_CHANNEL_PORT (5600), or an old process still holds it.",
            Fix = "Give each engine of the host its own VLLM_NIXL_SIDE_CHANNEL_PORT (data-parallel ranks take the following ones).",
            LintRules = ["FERRY-CTR007"],
            Sources = ["vllm-project/vllm#20965", "vllm-project/vllm#7196"],
            Needs = [new("who holds the port", "ss -ltnp 'sport = :5600'")],
        },
        new()
        {
            Id = "DIAG-NIXL-07",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "The prefill node released KV that nobody had fetched",
            Lines = [new("Releasing expired KV blocks")],
            Cause = "The decode node did not read within the lease (30 s by default; older versions 120 or 480 s). It was queueing, or never got the request; a Gaudi decode node in hetero mode does not renew the lease at all.",
            Fix = "On the prefill node: \"kv_connector_extra_config\":{\"kv_lease_duration\":300}; and keep the decode node's queue shorter than that. When 0 workers retrieved it every time, no decode node asks at all: check the router.",
            LintRules = ["FERRY-KVT010", "FERRY-PAIR016"],
            Sources = ["vllm-project/vllm#25562", "vllm-project/vllm#41383", "aws-samples/aws-do-eks#84"],
            Needs =
            [
                new("the decode node's queue", "curl -s http://DECODE:PORT/metrics | grep -E 'num_requests_waiting|nixl_num_kv_expired'", "DIAG-METRIC-02"),
                new("the decode node's log", "docker logs --timestamps DECODE 2>&1 | ferry diagnose -", LogVoices.Decode),
            ],
        },
        new()
        {
            Id = "DIAG-NIXL-08",
            Component = "vLLM",
            Severity = SignatureSeverity.Silent,
            Title = "KV was read after it had been released: answers may be wrong",
            Lines = [new("Potentially invalid KV blocks")],
            Cause = "The decode node read the blocks after the prefill node's lease had run out and they could have been given to another request. vLLM only logs it; the client gets 200 and whatever was read.",
            Fix = "Raise kv_lease_duration on the prefill node above the decode node's longest queueing time, and treat the answers since the first of these lines as suspect. Ferry's exchange refuses such a read.",
            LintRules = ["FERRY-KVT010"],
            Sources = ["aws-samples/aws-do-eks#84", "vllm-project/vllm#21570", "vllm-project/aibrix#1772"],
            Needs = [new("how often", "curl -s http://PREFILL:PORT/metrics | grep nixl_num_kv_expired", "DIAG-METRIC-02")],
        },
        new()
        {
            Id = "DIAG-NIXL-09",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "kv_buffer_device does not fit the platform (the guide's second case)",
            Lines = [new(["kv_buffer is not supported", "CUDA device not available"])],
            Cause = "kv_buffer_device is not one that this platform has. Allowed: cuda or cpu on ROCm (whose device type is called cuda), hpu or cpu on Gaudi, cpu elsewhere.",
            Fix = "\"kv_buffer_device\":\"cpu\" on both sides; never a device buffer on one side and a host buffer on the other.",
            LintRules = ["FERRY-KVT006"],
            Sources = ["vllm-project/vllm nixl/utils.py", "vllm-project/vllm#53554"],
        },
        new()
        {
            Id = "DIAG-NIXL-10",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "Block sizes differ, and the KV goes through host buffers",
            Lines = [new("block sizes are not supported with host buffer")],
            Cause = "An MI300X uses blocks of 16 (64 with AITER), a Gaudi3 of 128. With kv_buffer_device cpu vLLM wants both equal.",
            Fix = "Start the prefill node with --block-size 128 and --attention-backend TRITON_ATTN.",
            LintRules = ["FERRY-KVT009"],
            Sources = ["vllm-project/vllm nixl base_worker", "vllm-project/vllm#26744"],
        },
        new()
        {
            Id = "DIAG-NIXL-11",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The KV layouts of the two sides do not fit",
            Lines = [new(["Number of KV layers must match", "KV layer cache must be of shape", "attn_backend_name == self.backend_name", "nixl_agent_meta.num_blocks", "nixl_agent_meta.kv_cache_layout"], "must match|must be of shape|assert ")],
            Cause = "The sides store KV differently: K and V packed in one region or split in two, another number of KV heads a rank, another attention backend. vLLM's NIXL connector moves bytes and converts almost nothing.",
            Fix = "Use the same attention backend, tensor-parallel size and block size on both sides; between vendors hand over through Ferry's exchange, which converts.",
            LintRules = ["FERRY-PAIR007", "FERRY-KVT022"],
            Sources = ["vllm-project/vllm#45330", "vllm-project/vllm#23086", "vllm-project/vllm#19338"],
            Needs = [Handshake],
        },
        new()
        {
            Id = "DIAG-NIXL-12",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "A hand-over was asked for with half of its parameters; nothing was moved",
            Lines = [new("Got invalid KVTransferParams")],
            Cause = "kv_transfer_params lacks remote_engine_id, remote_block_ids, remote_host or remote_port: a proxy that builds it anew, or speaks another version's dialect.",
            Fix = "Let the router pass kv_transfer_params from the prefill answer to the decode request untouched. `ferry route` does.",
            Sources = ["vllm-project/vllm nixl scheduler"],
        },
        new()
        {
            Id = "DIAG-NIXL-13",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "NIXL lost its peer",
            Lines = [new(["NIXL_ERR_REMOTE_DISCONNECT", "NIXL_ERR_NOT_FOUND", "could send the inter-agent notifications"])],
            Cause = "The UCX connection to the other agent is gone, and vLLM does not rebuild it for a pair that stays the same.",
            Fix = "Restart both engines of the pair. Watch vllm:nixl_num_failed_transfers; `ferry route` leaves such a pair out by itself.",
            Sources = ["vllm-project/vllm#58063", "ai-dynamo/nixl#1983", "vllm-project/vllm#49238"],
            Needs = [PrefillLog, new("whether the peer was restarted", "docker inspect -f '{{.State.StartedAt}} {{.RestartCount}}' PEER")],
            CausedBy = ["DIAG-UCX-11", "DIAG-K8S-02"],
        },
        new()
        {
            Id = "DIAG-NIXL-14",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "UCX takes device memory for host memory",
            Lines = [new("VRAM memory is detected as host by UCX")],
            Cause = "UCX_TLS leaves out the accelerator's own transport (rocm, gaudi_gdr), or UCX was built without it, so that it cannot tell device memory.",
            Fix = "Add rocm (ROCm) or gaudi_gdr (Gaudi, UCX 1.21 or later) to UCX_TLS; or use host buffers: \"kv_buffer_device\":\"cpu\".",
            LintRules = ["FERRY-UCX012", "FERRY-UCX013"],
            Sources = ["ai-dynamo/nixl src/utils/ucx/ucx_utils.cpp"],
        },
        new()
        {
            Id = "DIAG-NIXL-15",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "KV moves, but at the pace of a TCP fallback",
            Lines = [new("Throughput (MB/s)=", @"Avg MB per transfer=(?:[1-9]\d|[1-9]\d{2,})(?:\.\d+)?,.*Throughput \(MB/s\)=~?\d{1,3}(?:\.\d+)?\b")],
            Cause = "Transfers of tens of megabytes run below 1 GB/s. RDMA is not in use (UCX fell back to tcp), or the pull goes through UCX's software emulation: over tcp a READ is 2.6 to 4 times slower than a WRITE.",
            Fix = "Check which transport is used (UCX_PROTO_INFO=y). On tcp set UCX_TCP_TX_SEG_SIZE=64k on both nodes, or use the push connector. For RDMA see DIAG-RDMA-01.",
            LintRules = ["FERRY-UCX006", "FERRY-CTR006"],
            Sources = ["vllm-project/vllm#52607", "ai-dynamo/nixl#610"],
            Needs = [new("the protocol that UCX chose", "UCX_PROTO_INFO=y in the container, then docker logs NODE 2>&1 | grep -E 'zero-copy|software emulation'")],
            CausedBy = ["DIAG-RDMA-01", "DIAG-UCX-02"],
        },
        new()
        {
            Id = "DIAG-NIXL-16",
            Component = "NIXL",
            Severity = SignatureSeverity.Failure,
            Title = "The engine crashed in NIXL when its peer came back",
            Lines = [new("Segmentation fault"), new(["add_remote_agent", "loadRemoteMD", "load_remote_md", "ucp_ep_rkey_unpack"])],
            Cause = "A peer was restarted on the same address; NIXL before the fix of July 2026 uses the endpoint that is being closed.",
            Fix = "Use a NIXL release later than 1.3.2; until then restart both engines of a pair together.",
            Sources = ["vllm-project/vllm#49238", "ai-dynamo/nixl#1986", "smg-project/smg#2503"],
        },
        new()
        {
            Id = "DIAG-NIXL-17",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "Requests wait for KV that does not come",
            Lines = [new("still in WAITING_FOR_REMOTE_KVS")],
            Cause = "The decode node accepted a hand-over and waits: the handshake hangs, or router and engine speak different connectors.",
            Fix = "Check the side channel (`ferry verify`), and that router and engine use the same connector and version.",
            LintRules = ["FERRY-UCX004", "FERRY-UCX015"],
            Sources = ["llm-d/llm-d#355"],
            Needs = [Handshake, PrefillLog],
            CausedBy = ["DIAG-NIXL-02", "DIAG-NIXL-03", "DIAG-NIXL-04", "DIAG-NIXL-05"],
        },
    ];
}
