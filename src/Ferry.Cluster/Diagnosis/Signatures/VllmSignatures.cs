namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What vLLM and the routers in front of it say.</summary>
internal static class VllmSignatures
{
    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-VLLM-01",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The KV connector's name is unknown to this vLLM",
            Lines = [new("Unsupported connector type")],
            Cause = "kv_connector is misspelt, was removed (PyNcclConnector, P2pNcclConnector), renamed (SharedStorageConnector is ExampleConnector), or belongs to another platform (MoRIIOConnector: ROCm only).",
            Fix = "Use NixlConnector, LMCacheConnectorV1, LMCacheMPConnector or MultiConnector, as this version has them.",
            LintRules = ["FERRY-KVT003", "FERRY-KVT004"],
            Sources = ["LMCache/LMCache#638", "vllm-project/vllm#15960"],
            Needs = [new("the version", "curl -s http://NODE:PORT/version")],
        },
        new()
        {
            Id = "DIAG-VLLM-02",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "--kv-transfer-config cannot be read",
            Lines = [new(["argument --kv-transfer-config", "Please specify kv_role when kv_connector"])],
            Cause = "The JSON is broken (often its quotes were eaten by a shell), a field is unknown, or kv_role is missing.",
            Fix = "Put the JSON in single quotes: --kv-transfer-config '{\"kv_connector\":\"…\",\"kv_role\":\"kv_both\"}'.",
            LintRules = ["FERRY-KVT001", "FERRY-SH008"],
            Sources = ["vllm-project/vllm config/kv_transfer.py"],
        },
        new()
        {
            Id = "DIAG-VLLM-03",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "A request asked for a hand-over of an engine that has no connector",
            Lines = [new("Got kv_transfer_params, but no KVConnector found")],
            Cause = "The engine was started without --kv-transfer-config. It answers all the same and computes the prompt itself: every prompt is prefilled twice.",
            Fix = "Start it with --kv-transfer-config, or take it out of the router's list.",
            LintRules = ["FERRY-PAIR018"],
            Sources = ["vllm-project/vllm v1/engine/core.py", "kserve/kserve#5987"],
            Needs = [new("how the process was started", "docker inspect -f '{{json .Args}}' NODE")],
        },
        new()
        {
            Id = "DIAG-VLLM-04",
            Component = "router",
            Severity = SignatureSeverity.Degraded,
            Title = "The prefill node's answer carried no kv_transfer_params",
            Lines = [new("did not contain kv_transfer_params")],
            Cause = "The prefill engine has no connector, its request was aborted, or it ended for another reason than its length. The decode node computes the whole prompt, and the client sees 200.",
            Fix = "Start the prefill engine with a connector, and let the router send max_tokens 1 and kv_transfer_params {\"do_remote_decode\":true}.",
            LintRules = ["FERRY-KVT005"],
            Sources = ["seen with the router of vllm-project/production-stack", "kserve/kserve#5987"],
            Needs = [new("the prefill node's log", "docker logs --timestamps PREFILL 2>&1 | ferry diagnose -", LogVoices.Prefill)],
            CausedBy = ["DIAG-VLLM-03"],
        },
        new()
        {
            Id = "DIAG-VLLM-05",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "KV could not be loaded, and the requests were failed for it",
            Lines = [new("due to KV load failure", "Failing [0-9]+ request")],
            Cause = "A transfer failed and kv_load_failure_policy is fail, the default since 2026-02: the client gets 500, or an error in the stream.",
            Fix = "Mend what failed the transfer. To serve meanwhile: \"kv_load_failure_policy\":\"recompute\" on the decode node.",
            LintRules = ["FERRY-KVT011"],
            Sources = ["vllm-project/vllm v1/core/sched/scheduler.py", "vllm-project/vllm#33745"],
            CausedBy = ["DIAG-NIXL-01", "DIAG-NIXL-02", "DIAG-NIXL-03", "DIAG-NIXL-04", "DIAG-NIXL-10", "DIAG-NIXL-11", "DIAG-NIXL-13", "DIAG-LMC-07", "DIAG-LMC-09"],
        },
        new()
        {
            Id = "DIAG-VLLM-06",
            Component = "vLLM",
            Severity = SignatureSeverity.Degraded,
            Title = "KV could not be loaded; prompts were computed again",
            Lines = [new("Recovered from KV load failure")],
            Cause = "Transfers fail and kv_load_failure_policy is recompute: right answers, at the price of a second prefill on the decode node.",
            Fix = "Mend what failed the transfer; the error lines before this one name it.",
            LintRules = ["FERRY-KVT011"],
            Sources = ["vllm-project/vllm v1/core/sched/scheduler.py"],
            CausedBy = ["DIAG-NIXL-01", "DIAG-NIXL-02", "DIAG-NIXL-03", "DIAG-NIXL-04", "DIAG-NIXL-10", "DIAG-NIXL-11", "DIAG-NIXL-13"],
        },
        new()
        {
            Id = "DIAG-VLLM-07",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The KV cache does not fit into the device's memory",
            Lines = [new(["No available memory for the cache blocks", "that can be stored in KV cache", "larger than the available KV cache memory"])],
            Cause = "After the weights too little memory is left for one sequence of --max-model-len.",
            Fix = "Lower --max-model-len, raise --gpu-memory-utilization or --tensor-parallel-size. `ferry plan` says what fits.",
            LintRules = ["FERRY-CAP001", "FERRY-CAP006", "FERRY-CAP007"],
            Sources = ["vllm-project/vllm#2418", "vllm-project/vllm#2248"],
            Needs = [new("who else uses the device", "rocm-smi --showmemuse; hl-smi")],
        },
        new()
        {
            Id = "DIAG-VLLM-08",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The model has no chat template",
            Lines = [new("default chat template is no longer allowed")],
            Cause = "A base model was asked over /v1/chat/completions.",
            Fix = "Serve the -Instruct model (on both nodes, under the same name), or give --chat-template.",
            LintRules = ["FERRY-VLLM005"],
            Sources = ["vllm-project/vllm entrypoints/chat_utils.py"],
        },
        new()
        {
            Id = "DIAG-VLLM-09",
            Component = "Hugging Face",
            Severity = SignatureSeverity.Failure,
            Title = "The model is gated, and no token was given",
            Lines = [new(["Cannot access gated repo", "trying to access a gated repo", "401 Client Error: Unauthorized for url: https://huggingface.co"])],
            Cause = "The model's licence must be accepted, and the container does not get HF_TOKEN.",
            Fix = "Accept the licence, then pass the token by reference (docker run -e HF_TOKEN, a Kubernetes secret). The canonical name is meta-llama/Llama-3.1-70B-Instruct.",
            LintRules = ["FERRY-CTR012"],
            Sources = ["huggingface/optimum-neuron#535", "hyperonym/basaran#289"],
        },
        new()
        {
            Id = "DIAG-VLLM-10",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "vLLM does not know a flag",
            Lines = [new("error: unrecognized arguments")],
            Cause = "A flag of another version or platform, or a flag of docker behind the image's name.",
            Fix = "Remove the flag that the line names; `vllm serve --help=FLAG` knows what this version has.",
            LintRules = ["FERRY-VLLM001", "FERRY-VLLM002"],
            Sources = ["vllm-project/vllm entrypoints"],
        },
        new()
        {
            Id = "DIAG-VLLM-11",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The HTTP port is taken",
            Lines = [new(["error while attempting to bind on address", "OSError: [Errno 98] Address already in use"])],
            Cause = "Another process of this host uses the port; with --net=host every container shares them.",
            Fix = "Give each engine of the host its own --port.",
            LintRules = ["FERRY-CTR007"],
            Sources = ["python asyncio", "vllm-project/vllm#7196"],
            Needs = [new("who holds it", "ss -ltnp | grep ':PORT '")],
        },
        new()
        {
            Id = "DIAG-VLLM-12",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "A worker hangs; the others wait for it",
            Lines = [new("No available shared memory broadcast block found")],
            Cause = "One worker of the engine is stuck, in a collective, a compilation or a transfer; or /dev/shm is too small.",
            Fix = "Look at the last lines of each worker before the first of these; run with --ipc=host or --shm-size 16g.",
            LintRules = ["FERRY-CAP004", "FERRY-K8S005"],
            Sources = ["vllm-project/vllm shm_broadcast.py"],
            Needs = [new("the size of /dev/shm", "docker exec NODE df -h /dev/shm")],
        },
        new()
        {
            Id = "DIAG-VLLM-13",
            Component = "vLLM",
            Severity = SignatureSeverity.Failure,
            Title = "The engine died",
            Lines = [new(["EngineDeadError", "EngineCore failed to start", "EngineCore encountered a fatal error", "EngineCore encountered an issue"])],
            Cause = "The engine's process ended by an error; every request in flight fails, /health answers 503.",
            Fix = "The traceback before the first of these lines names the reason. Let the container restart (--restart unless-stopped), and its peer with it.",
            Sources = ["LMCache/LMCache#605", "vllm-project/vllm#33745"],
            Needs = [new("how the process ended", "docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' NODE", "DIAG-K8S-02")],
            CausedBy =
            [
                "DIAG-NIXL-01", "DIAG-NIXL-09", "DIAG-NIXL-11", "DIAG-NIXL-14", "DIAG-NIXL-16", "DIAG-VLLM-01", "DIAG-VLLM-02", "DIAG-VLLM-07", "DIAG-LMC-08", "DIAG-LMC-09", "DIAG-LMC-10",
                "DIAG-LMC-11", "DIAG-ROCM-02", "DIAG-ROCM-03", "DIAG-HPU-01", "DIAG-HPU-02", "DIAG-K8S-02",
            ],
        },
    ];
}
