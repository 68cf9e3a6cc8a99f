using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>Whether an engine prefills, decodes or both: by its KV role, LMCache's PD role, Ferry's role, then by labels and names.</summary>
internal static class RoleGuesser
{
    public static ProcessRole Guess(ProcessDraft draft, ProcessArguments arguments, KvTransferConfig? transfer, LmCacheSettings lmCache)
    {
        switch (transfer?.Role?.Value)
        {
            case "kv_producer": return ProcessRole.Prefill;
            case "kv_consumer": return ProcessRole.Decode;
            default: break;
        }
        switch (lmCache.Value("pd_role")?.Value.ToLowerInvariant())
        {
            case "sender": return ProcessRole.Prefill;
            case "receiver": return ProcessRole.Decode;
            default: break;
        }
        switch (arguments.Value("--role")?.Value)
        {
            case "prefill": return ProcessRole.Prefill;
            case "decode": return ProcessRole.Decode;
            case "both": return ProcessRole.Both;
            default: break;
        }
        return ByWords(draft) ?? (transfer?.Role?.Value == "kv_both" ? ProcessRole.Both : ProcessRole.Unknown);
    }

    private static ProcessRole? ByWords(ProcessDraft draft)
    {
        foreach (var text in new[] { draft.Name, draft.Kubernetes?.Name.Value ?? "" }.Concat(draft.Kubernetes?.PodLabels.Select(label => label.Value.Value) ?? []))
        {
            var prefill = text.Contains("prefill", StringComparison.OrdinalIgnoreCase);
            var decode = text.Contains("decode", StringComparison.OrdinalIgnoreCase);
            if (prefill != decode) { return prefill ? ProcessRole.Prefill : ProcessRole.Decode; }
        }
        return null;
    }
}
