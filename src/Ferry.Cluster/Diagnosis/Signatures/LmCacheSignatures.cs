namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What LMCache says, and what it keeps silent about.</summary>
internal static class LmCacheSignatures
{
    private static readonly EvidenceNeed Seed = new("the seed of every process that shares the cache", "docker exec NODE sh -c \"tr '\\\\0' '\\\\n' </proc/1/environ | grep PYTHONHASHSEED\"");
    private static readonly EvidenceNeed Config = new("the configuration that LMCache took", "docker logs NODE 2>&1 | grep 'Creating LMCacheEngine with config'", "LMCache");

    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-LMC-01",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "PYTHONHASHSEED is unset under disaggregation",
            Lines = [new("P/D Disaggregation detected but PYTHONHASHSEED not set")],
            Cause = "Chunk hashes begin with a random number in each process: the decode node looks for keys that the prefill node never wrote.",
            Fix = "Set PYTHONHASHSEED=0 in every container: engines on both sides, LMCache servers and controllers.",
            LintRules = ["FERRY-LMC029", "FERRY-LMC030"],
            Sources = ["LMCache/LMCache lmcache/v1/token_database.py", "vllm-project/vllm#21161"],
            Needs = [Seed],
        },
        new()
        {
            Id = "DIAG-LMC-02",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "PYTHONHASHSEED is unset; processes cannot find each other's chunks",
            Lines = [new(["Using builtin hash without PYTHONHASHSEED", "cache sharing detected but PYTHONHASHSEED not set"])],
            Cause = "The same prompt has another key in every process, so that a shared cache never hits, not even between the ranks of one engine.",
            Fix = "Set PYTHONHASHSEED=0 in every container, and pre_caching_hash_algorithm: sha256_cbor where all writers know it.",
            LintRules = ["FERRY-LMC029", "FERRY-LMC030"],
            Sources = ["LMCache/LMCache#2581", "LMCache/LMCache#1739", "LMCache/LMCache#1095"],
            Needs = [Seed],
        },
        new()
        {
            Id = "DIAG-LMC-03",
            Component = "LMCache",
            Severity = SignatureSeverity.Hint,
            Title = "LMCache fell back to Python's own hash",
            Lines = [new("Using builtin hash. This may cause", "Could not load '")],
            Cause = "The algorithm of pre_caching_hash_algorithm is not one of vLLM's (the default 'builtin' no longer is). Python's hash depends on PYTHONHASHSEED and, before 3.12, on the address of None.",
            Fix = "Set pre_caching_hash_algorithm: sha256_cbor on every node.",
            LintRules = ["FERRY-LMC045"],
            Sources = ["LMCache/LMCache#2979", "LMCache/LMCache#2136"],
            Needs = [Seed],
        },
        new()
        {
            Id = "DIAG-LMC-04",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "Every request misses the cache",
            Lines = [new("LMCache hit tokens: 0,", "Total tokens [0-9]{3,}")],
            Unless = new("LMCache hit tokens: ", "hit tokens: [1-9]"),
            Cause = "Not one lookup in this log found anything: the prompts share nothing, or the keys differ (hash seed, model string, tensor-parallel size, dtype, chunk size), or nothing was stored (a kv_consumer never stores, a kv_producer never looks up).",
            Fix = "Use kv_role kv_both on both nodes, the same --model string, tensor-parallel size, dtype and chunk size, and PYTHONHASHSEED=0. `ferry keys --explain KEY` says why a stored key does not belong to a prompt.",
            LintRules = ["FERRY-LMC029", "FERRY-LMC030", "FERRY-LMC041", "FERRY-LMC043"],
            Sources = ["LMCache/LMCache#955", "vllm-project/vllm#42625", "LMCache/LMCache#2136"],
            Needs = [Seed, Config, new("keys that are stored", "redis-cli --scan | head; or the objects of the bucket: aws s3 ls --endpoint-url URL s3://BUCKET --recursive | head")],
            CausedBy = ["DIAG-LMC-01", "DIAG-LMC-02", "DIAG-LMC-05", "DIAG-LMC-07", "DIAG-S3-01", "DIAG-S3-02", "DIAG-S3-03", "DIAG-S3-04", "DIAG-REDIS-03"],
        },
        new()
        {
            Id = "DIAG-LMC-05",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "No room in the CPU pool: KV is not stored",
            Lines = [new(["Failed to allocate memory for the KV cache", "Failed to allocate memory for tensor"])],
            Cause = "max_local_cpu_size (GiB a rank) is too small for what is in flight, and all of it is pinned. The pool is staging space for disk and remote too, even with local_cpu: false.",
            Fix = "Raise max_local_cpu_size to at least twice the longest prompt's KV a rank, or lower --max-num-seqs.",
            LintRules = ["FERRY-LMC010", "FERRY-CAP003"],
            Sources = ["LMCache/LMCache#969", "LMCache/LMCache#955", "LMCache/LMCache#391"],
            Needs = [Config],
        },
        new()
        {
            Id = "DIAG-LMC-06",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "The PD buffer is full; the hand-over waits for ever",
            Lines = [new("Failed to allocate memory object, retrying")],
            Cause = "The receiver's pd_buffer_size is smaller than the prompts in flight, and the allocation is tried again without end (pd_allocation_timeout_sec is infinite by default) while every sender waits.",
            Fix = "Raise pd_buffer_size (bytes) on the receiver, set pd_allocation_timeout_sec: 30, limit the concurrency of the router.",
            LintRules = ["FERRY-LMC026"],
            Sources = ["LMCache/LMCache#1337", "LMCache/LMCache#1258"],
            Needs = [Config],
        },
        new()
        {
            Id = "DIAG-LMC-07",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "Chunks cannot be written to S3",
            Lines = [new(["AWS_ERROR_S3_INVALID_RESPONSE_STATUS", "Upload failed in S3Connector"])],
            Cause = "The store refused the request: LMCache addresses buckets by host name (virtual-hosted style), which MinIO and Ceph answer with 400 or 404 unless their domain is set up; or region, keys or prefix are wrong.",
            Fix = "Give the bucket in the host name and make that name resolve: LMCACHE_REMOTE_URL=s3://BUCKET.s3.example.com with rgw_dns_name set on Ceph; extra_config s3_region, s3_enable_s3express false, s3_prefer_http2 false. Or store through `ferry cache`, which speaks path style.",
            LintRules = ["FERRY-LMC032", "FERRY-LMC033", "FERRY-LMC034", "FERRY-LMC036"],
            Sources = ["LMCache/LMCache#3376", "LMCache/LMCache#2621"],
            Needs = [new("what the store answers", "aws s3api head-bucket --bucket BUCKET --endpoint-url URL; the gateway's own log"), Config],
            CausedBy = ["DIAG-S3-01", "DIAG-S3-02", "DIAG-S3-03", "DIAG-S3-04", "DIAG-S3-06"],
        },
        new()
        {
            Id = "DIAG-LMC-08",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "A setting that disaggregation or S3 needs is missing",
            Lines =
            [
                new(["pd_role", "pd_buffer_size", "pd_buffer_device", "pd_peer_", "pd_proxy_", "s3_region", "save_chunk_meta"],
                    @"assert .*(pd_role|pd_buffer_size|pd_buffer_device|pd_peer_\w+|pd_proxy_\w+) is not None|AssertionError.*(s3_region|save_chunk_meta)|assert .*(s3_region|save_chunk_meta)"),
            ],
            Cause = "LMCache checks by bare assertions: enable_pd needs pd_role, pd_buffer_size (bytes) and pd_buffer_device, the receiver pd_peer_host and its ports, the sender pd_proxy_host and pd_proxy_port; S3 needs extra_config.s3_region and save_chunk_meta: false.",
            Fix = "Add the setting that the assertion names on this node, or leave enable_pd away and hand over by NIXL or through Ferry's exchange.",
            LintRules = ["FERRY-LMC016", "FERRY-LMC033", "FERRY-LMC035"],
            Sources = ["LMCache/LMCache lmcache/v1/config.py", "LMCache/LMCache#3376"],
            Needs = [Config],
        },
        new()
        {
            Id = "DIAG-LMC-09",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "S3 and unfull chunks exclude each other",
            Lines = [new("Saving unfull chunk is not supported")],
            Cause = "The S3 connector wants all objects of one size, but save_unfull_chunk is on; enable_pd forces it.",
            Fix = "save_unfull_chunk: false and no enable_pd on a node that stores to S3.",
            LintRules = ["FERRY-LMC019"],
            Sources = ["LMCache/LMCache s3_connector.py"],
            Needs = [Config],
        },
        new()
        {
            Id = "DIAG-LMC-10",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "The PD buffer is no multiple of a chunk",
            Lines = [new("must be a multiple of align bytes")],
            Cause = "pd_buffer_size must be a whole number of chunks of this model and rank.",
            Fix = "Use the next multiple of the 'align bytes' that the line names.",
            LintRules = ["FERRY-LMC025"],
            Sources = ["LMCache/LMCache#1909"],
        },
        new()
        {
            Id = "DIAG-LMC-11",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "max_local_cpu_size is 0",
            Lines = [new("both buffer length (0) and count")],
            Cause = "The CPU pool is also the staging space for every other tier; a pool of 0 cannot be made.",
            Fix = "Leave max_local_cpu_size away (5 GiB a rank) or set it above 0, also with local_cpu: false.",
            LintRules = ["FERRY-LMC018"],
            Sources = ["LMCache/LMCache#1901"],
        },
        new()
        {
            Id = "DIAG-LMC-12",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "LMCache does not know a key of its file",
            Lines = [new("nknown configuration key", "LMCache WARNING")],
            Cause = "A misspelt or removed key (enable_nixl, nixl_peer_host …) in the YAML file; it has no effect. In the environment LMCache would not even say so.",
            Fix = "Correct the key. `ferry lint` names the nearest one, for the file and for the environment.",
            LintRules = ["FERRY-LMC002", "FERRY-LMC003", "FERRY-LMC004"],
            Sources = ["LMCache/LMCache lmcache/v1/config_base.py", "LMCache/LMCache#437"],
        },
        new()
        {
            Id = "DIAG-LMC-13",
            Component = "LMCache",
            Severity = SignatureSeverity.Degraded,
            Title = "The remote cache does not answer",
            Lines = [new(["Remote connection failed", "Failed to initialize/re-establish remote connection"])],
            Cause = "The remote backend cannot be reached or closes the connection: a wrong address, TLS expected on the other side, the server down. LMCache answers every lookup with a miss and goes on.",
            Fix = "Check remote_url from inside the container; LMCache speaks plain TCP to redis:// and lm://.",
            LintRules = ["FERRY-LMC038", "FERRY-LMC040"],
            Sources = ["LMCache/LMCache#929"],
            Needs = [new("whether the address can be reached from the container", "docker exec NODE python3 -c \"import socket;socket.create_connection(('HOST',PORT),3)\"")],
            CausedBy = ["DIAG-REDIS-03"],
        },
        new()
        {
            Id = "DIAG-LMC-14",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "A request came to a PD node without its rendezvous",
            Lines = [new("disagg_spec is not None")],
            Cause = "With enable_pd a kv_producer wants disagg_spec in every request; this one came straight from a client, not through LMCache's PD proxy.",
            Fix = "Send requests only through the proxy, or use kv_both without enable_pd.",
            LintRules = ["FERRY-PAIR016", "FERRY-LMC022"],
            Sources = ["LMCache/LMCache vllm_v1_adapter.py"],
        },
        new()
        {
            Id = "DIAG-LMC-15",
            Component = "LMCache",
            Severity = SignatureSeverity.Failure,
            Title = "LMCache's wire format has no code for MI300X's fp8",
            Lines = [new("KeyError: torch.float8_e4m3fnuz")],
            Cause = "MI300X keeps fp8 KV as e4m3fnuz; LMCache's lm, redis and fs formats only know e4m3fn and e5m2.",
            Fix = "--kv-cache-dtype bfloat16 on both nodes.",
            LintRules = ["FERRY-ROCM003"],
            Sources = ["LMCache/LMCache lmcache/v1/protocol.py"],
        },
    ];
}
