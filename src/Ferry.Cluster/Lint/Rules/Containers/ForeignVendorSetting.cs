using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A setting of the other vendor's node.</summary>
internal sealed class ForeignVendorSetting : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR010",
        Severity = LintSeverity.Warning,
        Title = "A setting of the other vendor's node",
        Why = "HIP_, HSA_, ROCM_ and VLLM_ROCM_ variables do nothing on Gaudi, PT_HPU_, HABANA_ and VLLM_HPU_ nothing on ROCm, and NVIDIA's " +
            "nothing on either. Usually one node's lines were copied to the other, and what they should have become is missing.",
        Symptom = "Nothing, or: docker: unknown or invalid runtime name: habana.",
        Fix = "Take the line out, and look for what should stand in its place.",
        Versions = "every version",
        Sources = ["vLLM vllm/platforms/rocm.py", "vllm-gaudi vllm_gaudi/platform.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1,2,3 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    private static readonly string[] Rocm = ["HIP_", "HSA_", "ROCM_", "ROCR_", "VLLM_ROCM_"];
    private static readonly string[] Gaudi = ["PT_HPU_", "HABANA_", "VLLM_HPU_"];
    private static readonly string[] Cuda = ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"];

    /// <summary>Beginnings of names that mean nothing on each.</summary>
    private static readonly string[] OnRocm = [.. Gaudi, .. Cuda];
    private static readonly string[] OnGaudi = [.. Rocm, .. Cuda, "CUDA_VISIBLE_DEVICES"];
    private static readonly string[] OnCuda = [.. Rocm, .. Gaudi];

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Engines)
        {
            (string[] foreign, string variable) = process.Accelerator.Kind switch
            {
                AcceleratorKind.Rocm => (OnRocm, "HIP_VISIBLE_DEVICES"),
                AcceleratorKind.Gaudi => (OnGaudi, "HABANA_VISIBLE_DEVICES"),
                AcceleratorKind.Cuda => (OnCuda, "CUDA_VISIBLE_DEVICES"),
                _ => (Array.Empty<string>(), ""),
            };
            foreach (var setting in process.Environment.Effective.Where(setting => foreign.Any(prefix => setting.Name.Value.StartsWith(prefix, StringComparison.Ordinal))))
            {
                var way = setting.Name.Value.EndsWith("VISIBLE_DEVICES", StringComparison.Ordinal) ? $"Write {variable}." : "Take it out.";
                findings.Report(Info, setting.Span, $"{setting.Name.Value} does nothing on {process.Accelerator.Name} ({process.Name}: {process.Accelerator.Reason}). {way}");
            }
            if (process.Container is { } container) { CheckContainer(process, container, findings); }
        }
    }

    private void CheckContainer(ObservedProcess process, ContainerSettings container, FindingSink findings)
    {
        if (process.Accelerator.Kind == AcceleratorKind.Gaudi && container.Devices.FirstOrDefault(device => device.Value.StartsWith("/dev/kfd", StringComparison.Ordinal)) is { } device)
        {
            findings.Report(Info, device.Span, $"{device.Value} is ROCm's device; {process.Name} runs on Gaudi ({process.Accelerator.Reason}). Take it out.");
        }
        var (expected, runtime) = (process.Accelerator.Kind, container.Runtime?.Value);
        var isForeign = (expected == AcceleratorKind.Rocm && runtime is "habana" or "nvidia") || (expected == AcceleratorKind.Gaudi && runtime is "nvidia" or "amd");
        if (isForeign && expected is AcceleratorKind.Rocm or AcceleratorKind.Gaudi)
        {
            findings.Report(Info, container.Runtime!.Span, $"the runtime {runtime} is another vendor's; {process.Name} runs on {process.Accelerator.Name} ({process.Accelerator.Reason}).");
        }
        if (container.Gpus is not null && expected is AcceleratorKind.Rocm or AcceleratorKind.Gaudi && process.Kubernetes is null)
        {
            findings.Report(Info, container.Gpus.Span, $"--gpus is NVIDIA's; {process.Name} runs on {process.Accelerator.Name} ({process.Accelerator.Reason}). Take it out.");
        }
    }
}
