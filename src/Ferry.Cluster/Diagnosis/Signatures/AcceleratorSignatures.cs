namespace Ferry.Cluster.Diagnosis.Signatures;

/// <summary>What the runtimes of Gaudi and ROCm say.</summary>
internal static class AcceleratorSignatures
{
    private static readonly EvidenceNeed GaudiUse = new("who uses the cards", "hl-smi; lsof /dev/accel/accel* 2>/dev/null");
    private static readonly EvidenceNeed RocmDevices = new("the devices and groups in the container", "docker exec NODE sh -c 'ls -ln /dev/kfd /dev/dri; id'");

    public static IReadOnlyList<Signature> All { get; } =
    [
        new()
        {
            Id = "DIAG-HPU-01",
            Component = "Gaudi",
            Severity = SignatureSeverity.Failure,
            Title = "The Gaudi cards cannot be acquired",
            Lines = [new("Device acquire failed", "synStatus")],
            Cause = "Another process holds them (a container of a run before, HABANA_VISIBLE_DEVICES=all on both engines), or driver and image are of different releases.",
            Fix = "Stop the other process; give each engine its own HABANA_VISIBLE_DEVICES, as many cards as its tensor-parallel size; use an image of the driver's release.",
            LintRules = ["FERRY-HPU003", "FERRY-CTR004"],
            Sources = ["HabanaAI/vllm-fork#344", "huggingface/tgi-gaudi#93", "opea-project/Enterprise-Inference#11"],
            Needs = [GaudiUse, new("driver and image release", "hl-smi -v; docker inspect -f '{{.Config.Image}}' NODE")],
        },
        new()
        {
            Id = "DIAG-HPU-02",
            Component = "Gaudi",
            Severity = SignatureSeverity.Failure,
            Title = "Gaudi's graph compiler fails",
            Lines = [new(["Graph compile failed", "synNodeCreateWithId failed"], "synStatus")],
            Cause = "The model, or a shape of it, is not supported by this release; or device memory ran out while compiling. A decode node that must prefill by itself meets shapes that it never warmed up.",
            Fix = "Use the vllm-gaudi and SynapseAI releases that belong together; try --enforce-eager; do not let a kv_consumer fall back to prefilling long prompts.",
            Sources = ["HabanaAI/vllm-fork#484", "vllm-project/vllm-gaudi#1734", "hiyouga/LlamaFactory#7275"],
            Needs = [new("Synapse's own log", "docker exec NODE sh -c 'ls -t ~/.habana_logs | head; tail -n 50 ~/.habana_logs/*/synapse_log.txt'")],
        },
        new()
        {
            Id = "DIAG-ROCM-01",
            Component = "ROCm",
            Severity = SignatureSeverity.Failure,
            Title = "The container may not open /dev/kfd",
            Lines = [new("/dev/kfd", "Unable to open /dev/kfd|open /dev/kfd: permission denied")],
            Cause = "/dev/kfd is not passed into the container, or the user is not in the group that owns it: the numeric id counts, and it is render's, not only video's.",
            Fix = "docker run --device=/dev/kfd --device=/dev/dri --group-add video --group-add $(getent group render | cut -d: -f3) --security-opt seccomp=unconfined …",
            LintRules = ["FERRY-CTR001", "FERRY-CTR002", "FERRY-CTR003"],
            Sources = ["ROCm/ROCm-docker#116", "kyuz0/amd-strix-halo-vllm-toolboxes#6", "ollama/ollama#6685"],
            Needs = [RocmDevices],
        },
        new()
        {
            Id = "DIAG-ROCM-02",
            Component = "ROCm",
            Severity = SignatureSeverity.Failure,
            Title = "No HIP device is visible",
            Lines = [new(["No HIP GPUs are available", "hipErrorNoDevice", "no ROCm-capable device is detected"])],
            Cause = "The container sees no card: devices or groups missing, HIP_VISIBLE_DEVICES names cards that do not exist, or the host's driver does not fit the image.",
            Fix = "Pass /dev/kfd and /dev/dri and the render group; check HIP_VISIBLE_DEVICES against `rocm-smi`.",
            LintRules = ["FERRY-ROCM002", "FERRY-CTR001", "FERRY-CAP010"],
            Sources = ["kyuz0/amd-strix-halo-vllm-toolboxes#6"],
            Needs = [RocmDevices],
            CausedBy = ["DIAG-ROCM-01"],
        },
        new()
        {
            Id = "DIAG-ROCM-03",
            Component = "ROCm",
            Severity = SignatureSeverity.Failure,
            Title = "The device's memory is used up",
            Lines = [new(["HIP out of memory", "CUDA out of memory", "hipErrorOutOfMemory"])],
            Cause = "Weights, KV cache and graphs need more than the card has; often another process is on it.",
            Fix = "Lower --gpu-memory-utilization or --max-model-len, or raise --tensor-parallel-size; `ferry plan` says what fits.",
            LintRules = ["FERRY-CAP001", "FERRY-CAP007"],
            Sources = ["pytorch/pytorch"],
            Needs = [new("who uses the memory", "rocm-smi --showpids --showmemuse")],
        },
        new()
        {
            Id = "DIAG-ROCM-04",
            Component = "ROCm",
            Severity = SignatureSeverity.Failure,
            Title = "The image has no code for this card",
            Lines = [new(["HIP error: invalid device function", "hipErrorNoBinaryForGpu", "no kernel image is available"])],
            Cause = "The image was built for other architectures; an MI300X is gfx942.",
            Fix = "Use an image built with PYTORCH_ROCM_ARCH=gfx942.",
            Sources = ["ROCm/ROCm"],
            Needs = [new("the card's architecture", "rocminfo | grep -m1 gfx9")],
        },
        new()
        {
            Id = "DIAG-CUDA-01",
            Component = "PyTorch",
            Severity = SignatureSeverity.Failure,
            Title = "Code for NVIDIA runs where there is no NVIDIA card",
            Lines = [new(["No CUDA GPUs are available", "Torch not compiled with CUDA enabled", "Found no NVIDIA driver on your system", "AssertionError: CUDA is not available"])],
            Cause = "An image or a setting for NVIDIA on a ROCm or Gaudi node: the upstream vllm-openai image, kv_buffer_device cuda on Gaudi, LMCache built without HIP.",
            Fix = "Use rocm/vllm on the MI300X and a vllm-gaudi image on the Gaudi3; \"kv_buffer_device\":\"cpu\" on both.",
            LintRules = ["FERRY-UCX001", "FERRY-CTR010"],
            Sources = ["LMCache/LMCache#356", "pytorch/pytorch"],
            Needs = [new("the image", "docker inspect -f '{{.Config.Image}}' NODE")],
        },
    ];
}
