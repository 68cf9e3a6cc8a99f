namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What UCX says when its transports, devices or versions do not fit.</summary>
internal static class UcxSignatures
{
    private static readonly EvidenceNeed Transports = new("the transports that this UCX really has", "docker exec NODE ucx_info -d | grep -E 'Transport|Device|error handling'");
    private static readonly EvidenceNeed Version = new("the UCX version of both nodes", "docker exec NODE ucx_info -v | head -n 2");

    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-UCX-01",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "CUDA transports where there is no CUDA (the guide's first case)",
            // UCX's own words, and those that guides quote, which no version of UCX prints.
            Lines = [new(["'cuda_copy'", "'cuda_ipc'", "'cuda'", "cuda_copy transport", "cuda_ipc not supported"], @"cuda(_copy|_ipc)?'? ?.*(not available|not supported)")],
            Cause = "UCX_TLS names cuda_copy, cuda_ipc or cuda, which neither ROCm nor Gaudi has. UCX only warns and goes on with the rest; when the rest cannot reach another node, NIXL fails.",
            Fix = "Set UCX_TLS=rc,ud,tcp,sm,self on both nodes (host buffers, kv_buffer_device cpu). With device buffers: rc,ud,rocm,tcp,sm,self on the MI300X; rc,ud,gaudi_gdr,tcp,sm,self with UCX_MEMTYPE_CACHE=n on the Gaudi.",
            LintRules = ["FERRY-UCX001"],
            Sources = ["LMCache/LMCache#605", "openucx/ucx src/ucp/core/ucp_context.c"],
            Needs = [new("the environment of the process, not of the shell", "docker exec NODE sh -c \"tr '\\\\0' '\\\\n' </proc/1/environ | grep ^UCX_\""), Transports],
        },
        new()
        {
            Id = "DIAG-UCX-02",
            Component = "UCX",
            Severity = SignatureSeverity.Degraded,
            Title = "A transport of UCX_TLS is not available",
            Lines = [new("available, please use one or more of", "transports? '.*(is|are) not available")],
            Cause = "UCX_TLS names a transport that this build or this container does not have: a misspelling, a device that is not passed into the container, or a build without that accelerator. UCX warns and goes on without it.",
            Fix = "Take the name out of UCX_TLS, or give the container what it needs: --device=/dev/infiniband for rc, ud and dc; a UCX built with ROCm for rocm; UCX 1.21 or later built --with-gaudi for gaudi (before: gaudi_gdr). Keep tcp in the list when a fallback is wanted.",
            LintRules = ["FERRY-UCX002", "FERRY-UCX003"],
            Sources = ["LMCache/LMCache#605", "openucx/ucx src/ucp/core/ucp_context.c"],
            Needs = [Transports],
            CausedBy = ["DIAG-UCX-01", "DIAG-RDMA-01"],
        },
        new()
        {
            Id = "DIAG-UCX-03",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "No usable transport is left",
            Lines = [new("no usable transports/devices")],
            Cause = "After the unavailable transports were taken out of UCX_TLS nothing remained but accelerator transports, which cannot carry messages. UCX does not start.",
            Fix = "Set UCX_TLS=rc,ud,tcp,sm,self; add the accelerator's transport only for device buffers.",
            LintRules = ["FERRY-UCX004"],
            Sources = ["openucx/ucx src/ucp/core/ucp_context.c (1.13 to 1.22)"],
            Needs = [Transports],
            CausedBy = ["DIAG-UCX-01"],
        },
        new()
        {
            Id = "DIAG-UCX-04",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "NIXL cannot connect to itself: no transport with active messages and peer-failure handling",
            Lines = [new("no active messages transport to")],
            Cause = "NIXL opens an endpoint to itself when it starts, in UCX's peer-failure mode. self, sysv and posix have no peer-failure handler, cma and the accelerator transports no active messages: without rc, ud, dc or tcp none qualifies. The same happens when UCX_NET_DEVICES is pinned to RDMA devices, which drops tcp too.",
            Fix = "Add tcp to UCX_TLS (rc,ud,tcp,sm,self), and lo to UCX_NET_DEVICES if that is set.",
            LintRules = ["FERRY-UCX007", "FERRY-UCX020"],
            Sources = ["ai-dynamo/nixl#1846", "openucx/ucx#4742", "sgl-project/sglang#40641"],
            Needs = [Transports],
            CausedBy = ["DIAG-UCX-01", "DIAG-UCX-02", "DIAG-UCX-05", "DIAG-RDMA-01"],
        },
        new()
        {
            Id = "DIAG-UCX-05",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "UCX_NET_DEVICES names a device that is not there",
            Lines = [new(["device '", "devices '"], @"network devices? '.*(is|are) not available")],
            Cause = "The device of UCX_NET_DEVICES does not exist in this container, or its port number is missing (mlx5_0:1) where UCX wants one.",
            Fix = "Use a name that `ucx_info -d` prints behind Device:, with its port; pass /dev/infiniband into the container; or leave UCX_NET_DEVICES unset.",
            LintRules = ["FERRY-UCX011"],
            Sources = ["openucx/ucx src/ucp/core/ucp_context.c"],
            Needs = [Transports, new("the RDMA devices of the host", "rdma link; ls /sys/class/infiniband", "RDMA")],
        },
        new()
        {
            Id = "DIAG-UCX-06",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "UCX_TLS is set to nothing",
            Lines = [new("The TLs list is empty")],
            Cause = "UCX_TLS exists but is empty, often a shell variable that was never filled.",
            Fix = "Unset UCX_TLS, or give it a value: rc,ud,tcp,sm,self.",
            LintRules = ["FERRY-UCX010"],
            Sources = ["openucx/ucx src/ucp/core/ucp_context.c"],
        },
        new()
        {
            Id = "DIAG-UCX-07",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "Memory cannot be locked for RDMA",
            Lines = [new(["ibv_reg_mr", "ibv_create_cq", "Please set max locked memory"], "Cannot allocate memory|Please set max locked memory")],
            Cause = "The limit of locked memory (memlock) is too low to register the KV buffers with the RDMA device.",
            Fix = "docker run --ulimit memlock=-1 --cap-add=IPC_LOCK …; in Kubernetes capabilities.add [IPC_LOCK] and a container runtime with LimitMEMLOCK=infinity.",
            LintRules = ["FERRY-CTR005", "FERRY-CTR006"],
            Sources = ["openucx/ucx#6264", "openucx/ucx#2712"],
            Needs = [new("the limit of the process itself", "docker exec NODE grep -i 'locked memory' /proc/1/limits")],
        },
        new()
        {
            Id = "DIAG-UCX-08",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "The two sides run UCX versions that do not understand each other",
            Lines = [new(["unpack remote key from remote md", "shmat(shmid=0)"], null)],
            Cause = "Remote keys changed their form between UCX 1.18 and 1.19: a side with the newer version cannot read what the older one sends.",
            Fix = "Build both images from one UCX (1.19 or later) and one NIXL commit.",
            LintRules = ["FERRY-PAIR010"],
            Sources = ["openucx/ucx#6651", "measured: UCX 1.13.1 and 1.18.1 against NIXL 1.4 on 1.22"],
            Needs = [Version],
        },
        new()
        {
            Id = "DIAG-UCX-09",
            Component = "UCX",
            Severity = SignatureSeverity.Degraded,
            Title = "The UCX that was loaded is older than the one it was built against",
            Lines = [new("UCP API version is incompatible", "required >= [0-9.]+, actual [0-9.]+")],
            Cause = "Two UCX installations are on the library path and the older one is found first.",
            Fix = "Put the directory of the wanted libucp.so.0 first in LD_LIBRARY_PATH, or remove the other; the line names the file that was loaded.",
            LintRules = ["FERRY-PAIR010"],
            Sources = ["openucx/ucx src/ucp/core/ucp_context.c", "reports of TensorRT-LLM on UCX 1.20 against 1.19.1"],
            Needs = [Version],
        },
        new()
        {
            Id = "DIAG-UCX-10",
            Component = "UCX",
            Severity = SignatureSeverity.Hint,
            Title = "A UCX_ variable that UCX does not know",
            Lines = [new("unused environment variable", "unused environment variables?:? *UCX_")],
            Cause = "A misspelt UCX_ variable: it has no effect.",
            Fix = "Correct the name; UCX prints the nearest one behind 'maybe'.",
            LintRules = ["FERRY-UCX017"],
            Sources = ["openucx/ucx src/ucs/config/parser.c (1.22)"],
        },
        new()
        {
            Id = "DIAG-UCX-11",
            Component = "UCX",
            Severity = SignatureSeverity.Failure,
            Title = "The connection to the peer broke",
            Lines = [new(["tcp_ep 0x", "Endpoint timeout", "mlx5dv_devx_obj_modify", "send completion[", "Connection reset by remote peer"], @"(send|recv)\(\d+\) failed|UCX.*Endpoint timeout|Endpoint timeout\)?$|Remote I/O error|with error on|Connection reset by remote peer")],
            Cause = "The other process died or was restarted, or the network between them dropped the connection. vLLM does not notice a dead peer by itself and keeps its stale endpoint.",
            Fix = "Find why the peer ended (its own log, `docker inspect`, OOM); then restart this side too, since for a fixed pair nothing else releases the stale endpoint.",
            Sources = ["LMCache/LMCache#725", "vllm-project/vllm#49238", "smg-project/smg#2503"],
            Needs =
            [
                new("whether the peer was restarted", "docker inspect -f '{{.RestartCount}} {{.State.StartedAt}} {{.State.OOMKilled}}' PEER", "DIAG-K8S-02"),
                new("the peer's log of that minute", "docker logs --timestamps PEER 2>&1 | ferry diagnose -"),
            ],
        },
        new()
        {
            Id = "DIAG-RDMA-01",
            Component = "RDMA",
            Severity = SignatureSeverity.Failure,
            Title = "No RDMA device is visible (the guide's third case)",
            Lines = [new(["No IB devices found", "NETLINK_RDMA", "'rc'", "'rc_verbs'", "'rc_mlx5'", "'ib'", "'dc'", "'ud'", "Failed to get IB devices list"], "No IB devices found|Failed to open NETLINK_RDMA|Failed to get IB devices|transports? '.*(is|are) not available")],
            Cause = "UCX_TLS asks for an RDMA transport, but the process sees no RDMA device: none in the host, its driver not loaded, or /dev/infiniband not passed into the container.",
            Fix = "docker run --device=/dev/infiniband --cap-add=IPC_LOCK --ulimit memlock=-1 …; in Kubernetes the RDMA device plugin's resource. Until then: UCX_TLS=tcp,sm,self on both nodes.",
            LintRules = ["FERRY-UCX005"],
            Sources = ["openucx/ucx src/ucp/core/ucp_context.c", "vllm-project/vllm#27055", "linux-rdma/rdma-core"],
            Needs =
            [
                new("the devices of the host and their links", "ibstat; rdma link; ls /sys/class/infiniband", "RDMA"),
                new("the devices inside the container", "docker exec NODE ls -l /dev/infiniband"),
            ],
        },
        new()
        {
            Id = "DIAG-RDMA-02",
            Component = "RDMA",
            Severity = SignatureSeverity.Failure,
            Title = "An RDMA link is down",
            Lines = [new(["state DOWN", "State: Down", "Physical state: Polling", "Physical state: Disabled"], @"^link .*state DOWN|^\s*State: Down|^\s*Physical state: (Polling|Disabled)")],
            Cause = "The port has no carrier or is disabled: cable, switch port, or (InfiniBand) no subnet manager.",
            Fix = "`ip link set DEV up`, check the cable and the switch port; on InfiniBand start a subnet manager. Until then use the other ports (UCX_NET_DEVICES) or tcp.",
            Sources = ["linux-rdma/rdma-core (ibstat)", "iproute2 (rdma link)"],
        },
    ];
}
