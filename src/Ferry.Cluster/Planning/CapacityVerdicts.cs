using System.Globalization;
using Ferry.Cluster.Spec;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Planning;

/// <summary>What does not fit, and what to change.</summary>
internal static class CapacityVerdicts
{
    /// <summary>Share of a prefill node's KV from which unfetched hand-overs are worth a word.</summary>
    private const double LeasedShare = 0.2;

    public static IReadOnlyList<Verdict> Of(ClusterSpec spec, PoolFigures[] pools) => [.. pools.SelectMany(pool => Of(spec, pool, spec.Pools.First(known => known.Name == pool.Pool)))];

    private static IEnumerable<Verdict> Of(ClusterSpec spec, PoolFigures figures, PoolSpec pool)
    {
        if (figures.KvBytesPerRank == 0)
        {
            yield return new(true, $"{figures.Pool}: {ByteSize.Format(figures.WeightBytesPerRank)} of weights a rank leave no memory for KV on {figures.Accelerator}. Raise tensorParallel, or take weights of fewer bytes.");
            yield break;
        }
        if (figures.KvTokens < spec.Model.MaxLength)
        {
            yield return new(true, Text($"{figures.Pool}: KV of {figures.KvTokens:N0} tokens fits, less than one sequence of maxLength {spec.Model.MaxLength:N0}: the engine refuses to start. Lower model.maxLength, or raise tensorParallel."));
        }
        else if (figures.FullLengthSequences < figures.SequenceLimit)
        {
            yield return new(false, Text($"{figures.Pool}: limits.sequences {figures.SequenceLimit} of full length would need {ByteSize.Format(figures.KvBytesPerRankAtLimit)} a rank; {ByteSize.Format(figures.KvBytesPerRank)} are there. Full batches need an average of at most {figures.AverageTokensAtLimit:N0} tokens; else sequences wait or are preempted."));
        }
        if (figures.Role == PoolRole.Prefill && spec.Handover.Kind == HandoverKind.Nixl && figures.LeasedTokens > LeasedShare * figures.KvTokens)
        {
            yield return new(true, Text($"{figures.Pool}: hand-overs that nobody fetches hold up to {figures.LeasedTokens:N0} tokens for handover.leaseSeconds {spec.Handover.LeaseSeconds:0.#}, {figures.LeasedTokens / figures.KvTokens:P0} of its KV."));
        }
        foreach (var node in pool.Nodes.Where(node => node.MemoryBytes is not null))
        {
            var needed = spec.CacheOf(pool).MemoryBytes + (spec.Handover.Kind == HandoverKind.Nixl && spec.Handover.BufferDevice == BufferDevice.Cpu ? figures.NixlHostBytes : 0);
            if (needed > node.MemoryBytes)
            {
                yield return new(true, $"{node.Name}: cache{(spec.Handover.Kind == HandoverKind.Nixl ? " and NIXL's host buffers" : "")} need {ByteSize.Format(needed)} of its {ByteSize.Format(node.MemoryBytes.Value)} of RAM.");
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
