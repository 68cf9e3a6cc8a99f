namespace Ferry.Cluster.Planning;

/// <summary>How long the KV of a typical prompt travels. Formulas: docs/planning.md, "The hand-over".</summary>
/// <param name="Link">Name of the rate: that of the file, or one for comparison.</param>
/// <param name="WireSeconds">Alone on the link.</param>
/// <param name="DescriptorSeconds">Posting the descriptors of the slower end.</param>
/// <param name="StagingSeconds">Copies between device and host, both ends; 0 where KV goes from device to device.</param>
/// <param name="Shared">The wire's time when others use it too.</param>
public sealed record TransferFigures(
    string Link, double BytesPerSecond, double WireSeconds, double DescriptorSeconds, double StagingSeconds, IReadOnlyList<SharedLinkFigures> Shared)
{
    /// <summary>Alone: wire, descriptors and staging one after the other, as vLLM's host buffers do it.</summary>
    public double Seconds => WireSeconds + DescriptorSeconds + StagingSeconds;
}
