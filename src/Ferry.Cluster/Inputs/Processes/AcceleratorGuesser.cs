using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>Which accelerator a process is for: devices and resources say it surest, then variables, images and names.</summary>
internal static class AcceleratorGuesser
{
    private static readonly string[] Products = ["mi300x", "mi300a", "mi325x", "mi350x", "mi355x", "mi250", "gaudi3", "gaudi2", "h100", "h200", "a100", "b200", "l40s"];

    public static AcceleratorGuess Guess(ProcessDraft draft, ProcessEnvironment environment, ProcessArguments arguments, KvTransferConfig? transfer)
    {
        var guess = ByContainer(draft.Container) ?? ByResources(draft.Kubernetes) ?? ByEnvironment(environment) ?? ByImage(draft.Container?.Image) ??
            ByNode(draft.Kubernetes) ?? ByName(draft) ?? ByTransfer(transfer) ?? ByArguments(arguments);
        return guess is null ? AcceleratorGuess.None : guess with { Product = Product(draft) };
    }

    private static AcceleratorGuess? ByContainer(ContainerSettings? container)
    {
        if (container is null) { return null; }
        if (container.Devices.FirstOrDefault(device => device.Value.StartsWith("/dev/kfd", StringComparison.Ordinal)) is { } kfd) { return Of(AcceleratorKind.Rocm, kfd); }
        if (container.Runtime is { Value: "habana" } habana) { return Of(AcceleratorKind.Gaudi, habana, "runtime habana"); }
        if (container.Devices.FirstOrDefault(device => device.Value.StartsWith("/dev/accel", StringComparison.Ordinal) || device.Value.StartsWith("/dev/hl", StringComparison.Ordinal)) is { } hl)
        {
            return Of(AcceleratorKind.Gaudi, hl);
        }
        if (container.Runtime is { Value: "nvidia" } nvidia) { return Of(AcceleratorKind.Cuda, nvidia, "runtime nvidia"); }
        return container.Gpus is { } gpus ? Of(AcceleratorKind.Cuda, gpus, "--gpus") : null;
    }

    private static AcceleratorGuess? ByResources(KubernetesFacts? facts)
    {
        foreach (var (name, _) in facts is null ? [] : facts.Limits.Concat(facts.Requests))
        {
            if (name.Value.StartsWith("amd.com/", StringComparison.Ordinal)) { return Of(AcceleratorKind.Rocm, name); }
            if (name.Value.StartsWith("habana.ai/", StringComparison.Ordinal)) { return Of(AcceleratorKind.Gaudi, name); }
            if (name.Value.StartsWith("nvidia.com/", StringComparison.Ordinal)) { return Of(AcceleratorKind.Cuda, name); }
        }
        return null;
    }

    private static AcceleratorGuess? ByEnvironment(ProcessEnvironment environment)
    {
        foreach (var setting in environment.Effective)
        {
            var name = setting.Name.Value;
            if (name.StartsWith("HABANA_", StringComparison.Ordinal) || name.StartsWith("PT_HPU_", StringComparison.Ordinal) || name.StartsWith("VLLM_HPU_", StringComparison.Ordinal))
            {
                return Of(AcceleratorKind.Gaudi, setting.Name);
            }
            if (name.StartsWith("HIP_", StringComparison.Ordinal) || name.StartsWith("HSA_", StringComparison.Ordinal) || name.StartsWith("ROCM_", StringComparison.Ordinal) ||
                name.StartsWith("ROCR_", StringComparison.Ordinal) || name.StartsWith("VLLM_ROCM_", StringComparison.Ordinal))
            {
                return Of(AcceleratorKind.Rocm, setting.Name);
            }
            if (name.StartsWith("NVIDIA_", StringComparison.Ordinal)) { return Of(AcceleratorKind.Cuda, setting.Name); }
            if (name.StartsWith("VLLM_CPU_", StringComparison.Ordinal)) { return Of(AcceleratorKind.Cpu, setting.Name); }
        }
        return null;
    }

    private static AcceleratorGuess? ByImage(SourcedText? image) => image is null ? null : ByWords(image, $"image {image.Value}");

    private static AcceleratorGuess? ByNode(KubernetesFacts? facts)
    {
        foreach (var (name, value) in facts?.NodeSelector ?? [])
        {
            if ((ByWords(name, $"node selector {name.Value}") ?? ByWords(value, $"node selector {name.Value}: {value.Value}")) is { } guess) { return guess; }
        }
        return null;
    }

    private static AcceleratorGuess? ByName(ProcessDraft draft) => ByWords(draft.Name) is { } kind ? new AcceleratorGuess(kind, $"the name {draft.Name}", draft.HeadSpan) : null;

    private static AcceleratorGuess? ByTransfer(KvTransferConfig? transfer) =>
        transfer?.BufferDevice is { Value: "hpu" } device ? Of(AcceleratorKind.Gaudi, device, "kv_buffer_device hpu") : null;

    private static AcceleratorGuess? ByArguments(ProcessArguments arguments) => arguments.Value("--device") switch
    {
        { Value: "hpu" } device => Of(AcceleratorKind.Gaudi, device, "--device hpu"),
        { Value: "cpu" } device => Of(AcceleratorKind.Cpu, device, "--device cpu"),
        { Value: "rocm" } device => Of(AcceleratorKind.Rocm, device, "--device rocm"),
        _ => null,
    };

    private static AcceleratorGuess? ByWords(SourcedText text, string reason) => ByWords(text.Value) is { } kind ? new AcceleratorGuess(kind, reason, text.Span) : null;

    private static AcceleratorKind? ByWords(string text)
    {
        var folded = text.ToLowerInvariant();
        if (HasAny(folded, "rocm", "mi300", "mi325", "mi350", "mi355", "mi250", "amd")) { return AcceleratorKind.Rocm; }
        if (HasAny(folded, "gaudi", "habana", "hpu")) { return AcceleratorKind.Gaudi; }
        if (HasAny(folded, "cuda", "nvidia", "h100", "h200", "a100", "b200")) { return AcceleratorKind.Cuda; }
        return HasAny(folded, "vllm-cpu", "-cpu-", "_cpu_") || folded.EndsWith("-cpu", StringComparison.Ordinal) ? AcceleratorKind.Cpu : null;
    }

    private static bool HasAny(string text, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            var at = text.IndexOf(word, StringComparison.Ordinal);
            // "amd" must not be found in "amd64".
            if (at >= 0 && !(word == "amd" && text.AsSpan(at).StartsWith("amd64"))) { return true; }
        }
        return false;
    }

    private static AcceleratorGuess Of(AcceleratorKind kind, SourcedText text, string? reason = null) => new(kind, reason ?? text.Value, text.Span);

    private static string? Product(ProcessDraft draft)
    {
        var text = string.Join(' ', [draft.Name, draft.Container?.Image?.Value ?? "", .. draft.Kubernetes?.NodeSelector.Select(entry => $"{entry.Name.Value} {entry.Value.Value}") ?? []]).ToLowerInvariant();
        return Products.FirstOrDefault(product => text.Contains(product, StringComparison.Ordinal));
    }
}
