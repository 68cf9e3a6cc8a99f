namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What shells, Docker and Kubernetes say before any of it runs.</summary>
internal static class PlatformSignatures
{
    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-SHELL-01",
            Component = "shell",
            Severity = SignatureSeverity.Failure,
            Title = "A comment inside the continued docker run line cut it in two",
            Lines = [new([": -e: command not found", ": -e: not found", ": --net=host: command not found", ": --ipc=host: command not found", ": --tensor-parallel-size: command not found"])],
            Cause = "A line that begins with # between lines ending in \\ ends the command: docker starts with what came before, without image and environment, and the shell takes the rest for commands.",
            Fix = "Take the comment lines out of the command; `ferry lint --fix` does, `ferry render docker` writes scripts without them.",
            LintRules = ["FERRY-SH001", "FERRY-SH003"],
            Sources = ["bash (GNU Bash manual, 3.1.3 Comments)"],
        },
        new()
        {
            Id = "DIAG-DOCKER-01",
            Component = "Docker",
            Severity = SignatureSeverity.Failure,
            Title = "Docker does not know the runtime habana",
            Lines = [new(["invalid runtime name: habana", "Unknown runtime specified habana", "Unknown runtime specified: habana"])],
            Cause = "habana-container-runtime is not installed on this host, or not named in /etc/docker/daemon.json; or the command for the Gaudi node was run on the other one.",
            Fix = "Install habanalabs-container-runtime, add {\"runtimes\":{\"habana\":{\"path\":\"/usr/bin/habana-container-runtime\"}}} to daemon.json, restart docker.",
            LintRules = ["FERRY-CTR004", "FERRY-CTR010"],
            Sources = ["HabanaAI/Model-References#7", "opea-project/GenAIExamples#1164"],
            Needs = [new("the runtimes", "docker info -f '{{json .Runtimes}}'")],
        },
        new()
        {
            Id = "DIAG-DOCKER-02",
            Component = "Docker",
            Severity = SignatureSeverity.Failure,
            Title = "A device that the container asks for does not exist on this host",
            Lines = [new("error gathering device information while adding custom device")],
            Cause = "--device names a file that is not there: the driver is not loaded, or the command was meant for the other node.",
            Fix = "Load the driver (amdgpu for /dev/kfd, mlx5_ib for /dev/infiniband), or run it on the right host.",
            LintRules = ["FERRY-CTR001", "FERRY-CTR010"],
            Sources = ["moby/moby"],
            Needs = [new("the devices", "ls -l /dev/kfd /dev/dri /dev/infiniband /dev/accel")],
        },
        new()
        {
            Id = "DIAG-DOCKER-03",
            Component = "Docker",
            Severity = SignatureSeverity.Failure,
            Title = "The image cannot be had",
            Lines = [new(["pull access denied", "manifest unknown", "ImagePullBackOff", "ErrImagePull"])],
            Cause = "The name or tag is wrong, the image exists only on the host that built it, or the registry wants a login.",
            Fix = "Push the image to a registry that both nodes reach, name its full tag, and give imagePullSecrets in Kubernetes.",
            LintRules = ["FERRY-CTR011"],
            Sources = ["moby/moby", "kubernetes/kubernetes"],
        },
        new()
        {
            Id = "DIAG-DOCKER-04",
            Component = "Docker",
            Severity = SignatureSeverity.Failure,
            Title = "The image is for another processor",
            Lines = [new("exec format error")],
            Cause = "An arm64 image on an amd64 host, or the other way round.",
            Fix = "Pull with --platform linux/amd64.",
            Sources = ["moby/moby"],
        },
        new()
        {
            Id = "DIAG-K8S-01",
            Component = "Kubernetes",
            Severity = SignatureSeverity.Failure,
            Title = "No node has the accelerators that the pod asks for",
            Lines = [new(["Insufficient amd.com/gpu", "Insufficient habana.ai/gaudi", "Insufficient rdma/", "Insufficient hugepages"])],
            Cause = "Fewer free devices than requested, the device plugin does not run on the node, or the pods' resource names are swapped.",
            Fix = "amd.com/gpu on the MI300X pool, habana.ai/gaudi on the Gaudi pool, each with its device plugin; count tensor-parallel size times replicas.",
            LintRules = ["FERRY-K8S001"],
            Sources = ["NVIDIA/k8s-device-plugin#33", "opea-project/Enterprise-Inference#11"],
            Needs = [new("what nodes offer", "kubectl describe nodes | grep -A8 Allocatable")],
        },
        new()
        {
            Id = "DIAG-K8S-02",
            Component = "Linux",
            Severity = SignatureSeverity.Failure,
            Title = "The kernel killed a process for its memory",
            Lines = [new(["OOMKilled", "Out of memory: Killed process", "Memory cgroup out of memory", "oom-kill:"], @"OOMKilled""?: ?true|reason: ?""?OOMKilled|Reason: *OOMKilled|\bOOMKilled\b|Killed process|out of memory|oom-kill:")],
            Cause = "The container's memory limit or the host's memory is too small. With kv_buffer_device cpu vLLM keeps a host copy of the whole device KV cache a rank (about 134 GiB on an MI300X, 67 GiB on a Gaudi3), and LMCache's pool is a rank too.",
            Fix = "Give the host that memory, lower --gpu-memory-utilization or max_local_cpu_size, or use device buffers; `ferry plan` counts it.",
            LintRules = ["FERRY-K8S008"],
            Sources = ["kubernetes/kubernetes", "linux mm/oom_kill.c"],
            Needs = [new("what it used", "dmesg -T | grep -i -A2 'killed process'; docker stats --no-stream")],
        },
        new()
        {
            Id = "DIAG-K8S-03",
            Component = "Kubernetes",
            Severity = SignatureSeverity.Failure,
            Title = "A probe ends the pod before it is ready",
            Lines = [new(["Liveness probe failed", "Startup probe failed", "Readiness probe failed"])],
            Cause = "Loading a 70B model, and Gaudi's warm-up, take longer than the probes allow; the liveness probe restarts the container again and again.",
            Fix = "A startupProbe on /health with failureThreshold × periodSeconds above the load time (an hour for Gaudi with warm-up); no liveness probe before it has passed.",
            LintRules = ["FERRY-K8S004"],
            Sources = ["kubernetes/kubernetes"],
            Needs = [new("how long loading takes", "kubectl logs POD --previous | grep -E 'Loading weights took|init engine|Warmup finished'", "vLLM")],
            CausedBy = ["DIAG-VLLM-13"],
        },
        new()
        {
            Id = "DIAG-OS-01",
            Component = "Linux",
            Severity = SignatureSeverity.Failure,
            Title = "Too many open files",
            Lines = [new(["Too many open files", "[Errno 24]"])],
            Cause = "The limit of file descriptors (nofile) is too low: a connection and a disk tier's file each need one.",
            Fix = "docker run --ulimit nofile=65536:65536 …; LimitNOFILE in systemd.",
            LintRules = ["FERRY-CAP005"],
            Sources = ["linux getrlimit(2)"],
            Needs = [new("the limit of the process", "docker exec NODE grep 'open files' /proc/1/limits")],
        },
    ];
}
