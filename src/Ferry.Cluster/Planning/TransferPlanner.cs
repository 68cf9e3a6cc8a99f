using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning;

/// <summary>How long the KV of a typical prompt travels, by link.</summary>
internal static class TransferPlanner
{
    /// <summary>
    /// What one descriptor costs. vLLM RFC #50913: blocks of 64 tokens instead of 16 save 58 ms at about 5,000 tokens, that is three quarters of
    /// 80 layers x 313 blocks = 25,040 descriptors a rank.
    /// </summary>
    public const double DescriptorSeconds = 58e-3 / (0.75 * 25_040);

    /// <summary>Links to compare with, bytes a second: from 8 ports of 100 Gbit/s down to one stream of TCP.</summary>
    private static readonly double[] Others = [100e9, 50e9, 25e9, 12.5e9, 10e9, 5e9, 1e9];

    private static readonly int[] FlowCounts = [1, 4, 16];

    /// <summary>The file's own link first.</summary>
    public static IReadOnlyList<TransferFigures> Plan(ClusterSpec spec, ModelFigures model, NodeModel[] nodes, PoolFigures[] pools)
    {
        var own = (double)spec.Transport.BytesPerSecondOrUsual;
        (int Flows, double Utilization, double Median, double Tail)[] shared = [.. FlowCounts.Select(flows =>
        {
            var (utilization, median, tail) = SharedLink.Stretch(flows, spec.Plan.Seed);
            return (flows, utilization, median, tail);
        })];
        var bytes = (double)model.KvBytesPerToken * spec.Plan.PromptTokens;
        var (descriptors, staging) = (Descriptors(spec, pools), bytes * StagingSecondsPerByte(spec, nodes));
        return [.. Others.Where(rate => rate != own).Prepend(own).Select(rate =>
        {
            var wire = bytes / rate;
            return new TransferFigures(
                rate == own ? $"{SpecNames.Of(spec.Transport.Kind)} (this file)" : RateText.Format(rate), rate, wire, descriptors, staging,
                [.. shared.Select(row => new SharedLinkFigures(row.Flows, row.Utilization, wire * row.Median, wire * row.Tail))]);
        })];
    }

    /// <summary>Posting them at the end that has more; ranks post side by side. An exchange moves whole chunks and has no such cost.</summary>
    private static double Descriptors(ClusterSpec spec, PoolFigures[] pools) =>
        spec.Handover.Kind == HandoverKind.Nixl ? pools.Max(pool => pool.DescriptorsPerRank) * DescriptorSeconds : 0;

    /// <summary>Copies on both sides of the wire, at the slowest node of each side: seconds a byte of KV.</summary>
    public static double StagingSecondsPerByte(ClusterSpec spec, IReadOnlyList<NodeModel> nodes)
    {
        if (spec.Handover.Kind != HandoverKind.Ferry && spec.Handover.BufferDevice == BufferDevice.Device)
        {
            return 0;
        }
        var copies = Slowest(nodes, PoolRole.Prefill) + Slowest(nodes, PoolRole.Decode);
        // Between an engine and the exchange beside it the bytes go through a socket once on each side.
        return spec.Handover.Kind == HandoverKind.Ferry ? copies + (2.0 / spec.Plan.MemoryBytesPerSecond) : copies;
    }

    private static double Slowest(IReadOnlyList<NodeModel> nodes, PoolRole role) =>
        nodes.Where(node => node.Pool.Role == role || node.Pool.Role == PoolRole.Both).Select(node => 1 / node.HostBytesPerSecond).DefaultIfEmpty(0).Max();
}
