using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>The ways there are, and what several of them say alike.</summary>
internal static class HandoverProfiles
{
    public static IHandoverProfile Of(HandoverKind kind) => kind switch
    {
        HandoverKind.Nixl => new NixlHandover(),
        HandoverKind.LmcachePd => new LmcachePdHandover(),
        _ => new FerryHandover(),
    };

    /// <summary>Role of a pool's engines in a hand-over from one engine straight to another.</summary>
    public static string KvRole(PoolSpec pool) => pool.Role switch
    {
        PoolRole.Prefill => "kv_producer",
        PoolRole.Decode => "kv_consumer",
        _ => "kv_both",
    };

    public static PlannedVariable HashSeed(PlanContext context) => new(
        "PYTHONHASHSEED", context.Spec.Cache.HashSeed, "root of every chunk hash: the same on every node, or nobody finds another's chunks");

    public static PlannedVariable GaudiMigration { get; } = new("PT_HPU_GPU_MIGRATION", "1", "LMCache on Gaudi needs it: its tensors go by CUDA's names");

    /// <summary>vLLM 0.26 packs K and V of a token side by side, which LMCache's connector reads wrong without an error (LMCache #4463, #4467; vLLM #52617).</summary>
    public static void CheckPackedLayout(PlanContext context)
    {
        foreach (var pool in context.Spec.Pools.Where(pool => pool.Engine.Kind == EngineKind.Vllm))
        {
            if (pool.Engine.Version is { } version && System.Version.TryParse(Numbers(version), out var parsed) && parsed >= new Version(0, 26))
            {
                context.Warn($"Pool {pool.Name}: since vLLM 0.26 K and V lie side by side, and LMCache's connector returned wrong KV without an error there (LMCache #4463). " +
                    "Make sure that the image's LMCache has the repair, and compare answers with and without the cache (ferry verify) before serving.");
            }
        }
    }

    /// <summary>The leading numbers of a version: 0.24 of 0.24.0rc1.</summary>
    private static string Numbers(string version) =>
        string.Join('.', version.Split('.').Take(2).Select(part => new string([.. part.TakeWhile(char.IsAsciiDigit)])));
}
